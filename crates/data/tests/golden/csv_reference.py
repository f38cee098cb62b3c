"""Writes csv_reference.parquet: 2,000 delimited files, most of them damaged, and what Python's csv module reads in them; in
tab-separated ones, a quote is a character of the text where only that makes a table of the file.

    python csv_reference.py

`file` is the file in base64, `name` its name, `rows` what a reader must find in the columns `text` and `label`, as JSON
(an empty field is null), or null where a reader must refuse it. Blank lines are no rows, as for csv.DictReader; names of
columns are taken without the space around them; records of another length than the first are refused.
"""

import base64
import csv
import io
import json
import pathlib
import random
import re

import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
random.seed(2026)
csv.field_size_limit(1 << 30)

PIECES = ["", "a", "b c", "rain", "1.5", " ", "  lead", "trail ", '"', '""', 'say "hi"', "'", ",", ";", "\t", "\n", "\r\n", "\r", "a\nb",
          "é", "日本語", "😀", "\u200b", "\u2028", "\u0085", "\ufeff", "e\u0301", "\x00", "\x1a", "\\", "\\n", "#no", "=1+1", "NULL", "-", "x" * 300]  # fmt: skip
BYTES = [b'"', b'""', b",", b"\t", b"\r", b"\n", b"\r\n", b"\n\n", b"\x00", b" ", b"a", b"\xff", b"\xef\xbb\xbf", b"'", b"\\"]


def table():
    header = random.choice([["text", "label"], ["label", "text"], ["id", "text", "label"], ["text", "label", "more"], [" text", "label "]])
    if random.random() < 0.06:
        header = random.choice([["text", "text"], ["text", "label", "label"], ["Text", "label"], ["text"], ["a", "b"]])
    few = lambda: "".join(random.choices(PIECES, k=random.choice([1, 1, 1, 2, 3])))
    rows = [[few() for _ in header] for _ in range(random.randrange(7))]
    if rows and random.random() < 0.12:
        row = random.choice(rows)
        row.pop() if random.random() < 0.5 and len(row) > 1 else row.append("more")
    return [header] + rows


def written(rows, delimiter):
    out = io.StringIO(newline="")
    quoting = random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    for row in rows:
        end = random.choice(["\n", "\n", "\r\n", "\r\n", "\r"])
        csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerow(row)
        if random.random() < 0.05:
            out.write(random.choice(["\n", "\r\n", "\r", " \n"]))
    text = out.getvalue()
    return text.rstrip("\r\n") if random.random() < 0.3 else text


def encoded(text):
    kind = random.random()
    if kind < 0.12:
        return text.encode("utf-8-sig")
    if kind < 0.16:
        return text.encode(random.choice(["utf-16", "utf-16-le", "utf-16-be"]))
    if kind < 0.22:
        return text.encode("latin-1", errors="replace")
    return text.encode()


def mutated(data):
    for _ in range(random.choice([0, 0, 0, 0, 1, 1, 3])):
        at = random.randrange(len(data) + 1)
        data = data[:at] + random.choice(BYTES) + data[at + random.choice([0, 0, 1, 1, 2]) :]
    return data


def lines_of(text):
    """The rows of a file without quoting, but for fields that begin and end with a quote."""
    bare = lambda field: field[1:-1].replace('""', '"') if re.fullmatch(r'"([^"]|"")*"', field) else field
    return [[bare(field) for field in line.split("\t")] for line in re.split("\r\n|\r|\n", text) if line]


def is_quoted(text):
    """Whether a program that quotes could have written this: quotes stand around fields only, doubled within."""
    field = r'(?:"(?:[^"]|"")*"|[^"\t\r\n]*)'
    return re.fullmatch(rf"{field}(?:(?:\t|\r\n|\r|\n){field})*", text) is not None


def tabs(text):
    """Tab-separated files mostly do not quote: they are read so where that, and not quoting, makes a table of them."""
    literal = lines_of(text)
    even = len({line.count("\t") for line in re.split("\r\n|\r|\n", text) if line}) <= 1
    quoted = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter="\t") if row]
    begun = re.search(r'(?:^|[\t\r\n])"', text) is not None
    spans = any(re.search(r"[\r\n]", field) for row in quoted for field in row)
    if not begun or (is_quoted(text) and not (spans and even and len(literal[0]) > 1)):
        return quoted
    return literal if even else quoted if is_quoted(text) else []


def expected(data, delimiter):
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    plain = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records = tabs(text) if delimiter == "\t" else [row for row in plain if row]
    if not records or any(len(row) != len(records[0]) for row in records):
        return None
    header = [name.strip() for name in records[0]]
    if header.count("text") != 1 or header.count("label") != 1:
        return None
    places = header.index("text"), header.index("label")
    return [[row[place] or None for place in places] for row in records[1:]]


files = []
for number in range(2000):
    name, delimiter = random.choice([("a.csv", ","), ("a.csv", ","), ("a.tsv", "\t")])
    data = mutated(encoded(written(table(), delimiter)))
    rows = expected(data, delimiter)
    files.append({"name": name, "file": base64.b64encode(data).decode(), "rows": None if rows is None else json.dumps(rows)})
pq.write_table(pa.Table.from_pylist(files), here / "csv_reference.parquet", compression="zstd", compression_level=19, use_dictionary=["name"])
refused = sum(file["rows"] is None for file in files)
print(f"{len(files)} files, {refused} to refuse, {sum(len(json.loads(f['rows'] or '[]')) for f in files)} rows")
