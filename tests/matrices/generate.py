"""Writes the sparse matrices of this folder (pip install scipy), and their entries as text."""
import pathlib

import numpy, scipy.sparse as sparse

HERE = pathlib.Path(__file__).parent
ROWS, COLUMNS, ENTRIES = 40, 25, 300

random = numpy.random.default_rng(7)
places = random.choice(ROWS * COLUMNS, ENTRIES, replace=False)
places.sort()
counts = random.integers(1, 9, ENTRIES)
row, column = places // COLUMNS, places % COLUMNS
(HERE / "counts.tsv").write_text("".join(f"{r}\t{c}\t{n}\n" for r, c, n in zip(row, column, counts)))


def save(name, of, dtype, index=None, compressed=True):
    matrix = of(sparse.coo_matrix((counts.astype(dtype), (row, column)), (ROWS, COLUMNS)))
    for part in ("indices", "indptr", "row", "col") if index else ():
        if hasattr(matrix, part):
            setattr(matrix, part, getattr(matrix, part).astype(index))
    sparse.save_npz(HERE / name, matrix, compressed=compressed)


save("csr.npz", sparse.csr_matrix, "f4")
save("stored.npz", sparse.csr_matrix, "f8", compressed=False)
save("long.npz", sparse.csr_matrix, "i8", index="i8")
save("csc.npz", sparse.csc_matrix, "i4")
save("coo.npz", sparse.coo_matrix, "u2")
save("bool.npz", sparse.csr_array, "?")
save("bsr.npz", sparse.bsr_matrix, "f4")
save("complex.npz", sparse.csr_matrix, "c16")
halves = sparse.csr_matrix((counts / 8 - 0.5, (row, column)), (ROWS, COLUMNS))
sparse.save_npz(HERE / "halves.npz", halves)
# No row, and rows without entries at both ends.
sparse.save_npz(HERE / "empty.npz", sparse.csr_matrix((3, 4)))
sparse.save_npz(HERE / "gaps.npz", sparse.csr_matrix(([1.5, 2.5], ([2, 4], [0, 3])), (7, 5)))
numpy.savez(HERE / "arrays.npz", a=numpy.arange(3))
