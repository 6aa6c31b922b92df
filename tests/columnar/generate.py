"""Writes the tables of this folder: the same rows as CSV, Parquet and Arrow's files (pip install pyarrow)."""
import csv, decimal, pathlib, datetime
import numpy, pyarrow as pa, pyarrow.feather as feather, pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
CITIES = ["Rome", "Oslo", "Zürich, CH", None, " Bern ", "NA"]


def row(i):
    return {
        "label": ["no", "yes"][i * i % 3 % 2],
        "age": None if i % 11 == 0 else 18 + i * 7 % 50,
        "big": i * 1_000_003 % 97,
        "pay": None if i % 7 == 0 else i / 8,
        "price": decimal.Decimal(i * 25 % 1000) / 100,
        "city": CITIES[i % 6],
        "ok": None if i % 5 == 0 else i % 2 == 0,
        "tags": None if i % 4 == 0 else [f"t{i % 3}", "x", "x"][: i % 4],
        "n": 1 + i % 3,
    }


rows = [row(i) for i in range(300)]
kinds = {
    "label": pa.string(), "age": pa.int16(), "big": pa.uint64(), "pay": pa.float64(), "price": pa.decimal128(9, 2),
    "city": pa.dictionary(pa.int8(), pa.string()), "ok": pa.bool_(), "tags": pa.list_(pa.string()), "n": pa.uint8(),
}
table = pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))
pq.write_table(table, HERE / "rows.parquet", row_group_size=64, compression="zstd")
pq.write_table(table, HERE / "rows.snappy.parquet", compression="snappy", use_dictionary=False)
feather.write_feather(table, str(HERE / "rows.arrow"), compression="lz4", chunksize=50)
plain = pa.Table.from_pylist(rows, schema=pa.schema([(n, pa.large_string() if n == "city" else k) for n, k in kinds.items()]))
with pa.OSFile(str(HERE / "rows.plain.arrow"), "wb") as out, pa.ipc.new_file(out, plain.schema) as writer:
    writer.write_table(plain)
with open(HERE / "rows.csv", "w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(kinds)
    for r in rows:
        cells = {**r, "tags": "|".join(r["tags"] or []), "ok": {None: "", True: "true", False: "false"}[r["ok"]]}
        writer.writerow(["" if cell is None else cell for cell in cells.values()])

# Types that are seldom: nothing but nulls, dictionaries of numbers, long lists, views, 16-bit floats.
odd = [(i % 2 > 0, None, i % 12, [i % 3, 7] if i % 5 else None, f"a longer word {i % 4}", i / 4) for i in range(40)]
kinds = {
    "y": pa.bool_(), "s": pa.string(), "code": pa.dictionary(pa.int8(), pa.int64()), "tags": pa.large_list(pa.int32()),
    "view": pa.string_view(), "half": pa.float16(),
}
columns = [[r[i] for r in odd] for i in range(len(kinds))]
columns[5] = numpy.array(columns[5], "f2")
arrays = [pa.array(c).dictionary_encode().cast(k) if n == "code" else pa.array(c, k) for c, (n, k) in zip(columns, kinds.items())]
seldom = pa.table(arrays, names=list(kinds))
pq.write_table(seldom, HERE / "odd.parquet")
feather.write_feather(seldom, str(HERE / "odd.arrow"), compression="zstd", chunksize=15)
with open(HERE / "odd.csv", "w") as out:
    print(*kinds, sep=",", file=out)
    for y, _, code, tags, view, half in odd:
        print(("false", "true")[y], "", code, "|".join(map(str, tags or [])), view, half, sep=",", file=out)

# What is not read, or is bad.
day = [datetime.date(2024, 1, 1 + i) for i in range(4)]
pq.write_table(pa.table({"y": [1, 0, 1, 0], "day": day, "a": [1.0, 2.0, 3.0, 4.0]}), HERE / "days.parquet")
pq.write_table(pa.table({"y": [1, 0, 1, 0], "a": [1.0, 2.0, float("inf"), 1e300]}), HERE / "infinite.parquet")
with pa.OSFile(str(HERE / "stream.arrows"), "wb") as out, pa.ipc.new_stream(out, table.schema) as writer:
    writer.write_table(table)

# Names with `=`: in the last row the words of two columns are one feature.
alike = pa.table({"y": [1, 0, 1], "a": ["b", "c", "b=c"], "a=b": ["x", "x", "c"]})
pq.write_table(alike, HERE / "alike.parquet")

# Nor without: in rows of the upper half the word of `age>` may be the bin `age>=30`, whichever number the edge is.
bins = pa.table({"y": [1, 0] * 4, "age": [10, 20, 30, 40] * 2, "age>": ["x"] * 4 + ["x", "20", "30", "40"]})
pq.write_table(bins, HERE / "bins.parquet")
