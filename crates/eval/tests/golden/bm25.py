"""Writes bm25.json: scores of every document for every query by bm25s, method "lucene", k1 1.2, b 0.75.
Run: python bm25.py"""

import json
from importlib.metadata import version
from pathlib import Path

import bm25s

DOCUMENTS = """The patient reports a dull headache behind both eyes.
Headache, headache, headache: the third visit this week!
A card payment was declined at the counter although the account is covered.
How do I dispute a payment that I do not recognise?
The new card has arrived; the old card no longer works.
Röntgen showed no fracture of the left wrist.
Der Patient klagt über Kopfschmerzen.
Fees for a payment abroad depend on the card and on the country.
Rest, fluids and a mild painkiller are advised for a tension headache.
Wrist pain after a fall: rest, and an X ray of the wrist.

Account closed.
The visit was short. The account of it is long, and it goes on about the counter, the card, the queue and the rain.
""".split("\n")[:-1]
QUERIES = [
    "headache",
    "Why was my card payment declined?",
    "the account of the visit",
    "card card payment",
    "röntgen wrist",
    "kopfschmerzen ÜBER headache",
    "nothing that occurs anywhere",
]


def words(text):
    """The words of these texts: letters and digits between whatever else."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def main():
    index = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    index.index([words(d) for d in DOCUMENTS], show_progress=False)
    known = lambda query: [w for w in words(query) if w in index.vocab_dict]
    scores = [index.get_scores(known(q)).tolist() if known(q) else [0.0] * len(DOCUMENTS) for q in QUERIES]
    file = {"made_by": f"bm25.py, bm25s {version('bm25s')}", "documents": DOCUMENTS, "queries": QUERIES, "scores": scores}
    text = json.dumps(file, ensure_ascii=False, indent=1)
    Path(__file__).with_name("bm25.json").write_text(text + "\n", encoding="utf-8")


main()
