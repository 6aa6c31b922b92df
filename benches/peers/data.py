"""The data as a worker gives them to a system: equal rows and features for all, read from hogwild's packed files.

Ids become numbers from 0 in the order of the ids, over training and held-out data together, so that arrays of weights are dense.
Features that have a field are called `field:index` by names in place of numbers.
"""
import contextlib
import functools
import json
import pathlib
import tempfile
from types import SimpleNamespace


def contents(path):
    """What the arrays of a safetensors file are, by name, and where they begin."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {name: entry for name, entry in header.items() if name != "__metadata__"}, 8 + length


def tensors(path):
    """The arrays of a safetensors file."""
    import numpy

    entries, begin = contents(path)
    types = {"U64": "<u8", "U32": "<u4", "F32": "<f4", "U8": "u1"}
    read = lambda entry: numpy.fromfile(path, types[entry["dtype"]], entry["shape"][0], offset=begin + entry["data_offsets"][0])
    return {name: read(entry) for name, entry in entries.items()}


class Data:
    def __init__(self, folder, task, rank, hogwild):
        self.folder, self.task, self.rank, self.hogwild = pathlib.Path(folder), task, rank, hogwild

    def text(self, part):
        return self.folder / f"{part}.txt"

    def packed(self, part):
        return self.folder / f"{part}.safetensors"

    @contextlib.contextmanager
    def scratch(self):
        """A folder for a run's own files."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield pathlib.Path(folder)

    @functools.cache
    def _packed(self, part):
        return tensors(self.packed(part))

    @functools.cache
    def _ids(self, part, what):
        """Those of a file in its own order: numbers, or names."""
        import numpy

        packed = self._packed(part)
        if f"{what}_id" in packed:
            return packed[f"{what}_id"]
        start, letters = packed[f"{what}_name_start"].tolist(), packed[f"{what}_name"].tobytes()
        return numpy.array([letters[begin:end].decode() for begin, end in zip(start, start[1:])])

    @functools.cache
    def ids(self, what="feature"):
        """All ids, ascending: a column's number is the place of its id."""
        import numpy

        return numpy.union1d(self._ids("train", what), self._ids("test", what))

    def _numbers(self, part, what, positions):
        import numpy

        return numpy.searchsorted(self.ids(what), self._ids(part, what)).astype("int32")[self._packed(part)[positions]]

    def fields(self):
        """The field of each column, where features have some."""
        import numpy

        return numpy.array([int(name.split(":")[0]) for name in self.ids()])

    @property
    def width(self):
        return len(self.ids())

    @functools.cache
    def rows(self, part):
        """Rows as CSR arrays, ids ascending within a row, labels -1 and 1."""
        import numpy

        matrix = self.matrix(part)
        labels = numpy.where(self._packed(part)["label"] > 0, 1, -1).astype("float32")
        ones = "value" not in self._packed(part)
        return SimpleNamespace(row_start=matrix.indptr, column=matrix.indices, value=matrix.data, labels=labels, all_ones=ones)

    @functools.cache
    def matrix(self, part):
        import numpy
        import scipy.sparse

        packed = self._packed(part)
        column = self._numbers(part, "feature", "column")
        value = packed.get("value", numpy.ones(len(column), "float32"))
        start = packed["row_start"].astype("int32" if len(column) < 2**31 else "int64")
        matrix = scipy.sparse.csr_matrix((value, column, start), (len(start) - 1, self.width))
        matrix.sort_indices()
        return matrix

    @functools.cache
    def classes(self, part):
        """The class of each row: numbers from 0 in the order of the labels of training. Rows of other classes have their count."""
        import numpy

        labels, own = numpy.unique(self._packed("train")["label"]), self._packed(part)["label"]
        place = numpy.searchsorted(labels, own).clip(0, len(labels) - 1)
        return numpy.where(labels[place] == own, place, len(labels))

    @functools.cache
    def by_user(self, part):
        """Interactions as a CSR matrix of users and items, a pair once."""
        import numpy
        import scipy.sparse

        pairs = self.ratings(part)
        ones = numpy.ones(len(pairs.user), "float32")
        matrix = scipy.sparse.csr_matrix((ones, (pairs.user, pairs.item)), (self.users, self.items))
        matrix.data[:] = 1
        return matrix

    @functools.cache
    def ratings(self, part):
        user, item = (self._numbers(part, what, what) for what in ("user", "item"))
        return SimpleNamespace(user=user, item=item, rating=self._packed(part)["rating"])

    @property
    def users(self):
        return len(self.ids("user"))

    @property
    def items(self):
        return len(self.ids("item"))

    def factor_scores(self, user_factors, item_factors, user_bias, item_bias, mean):
        """Held-out ratings as factors and biases predict them."""
        import numpy

        held_out = self.ratings("test")
        scores = mean + user_bias[held_out.user] + item_bias[held_out.item]
        for some in numpy.array_split(numpy.arange(len(scores)), 1 + len(scores) // 100_000):
            scores[some] += numpy.einsum("ij,ij->i", user_factors[held_out.user[some]], item_factors[held_out.item[some]])
        return scores

    def separator(self):
        """What stands between the columns of a text of ratings."""
        with open(self.text("train")) as file:
            line = file.readline()
        return next(mark for mark in ("::", "\t", ",", " ") if mark in line)
