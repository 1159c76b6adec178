"""Tables: CSV files as training data.

`read_csv` gives a `Table` of raw cells; `settle_formats` makes plain numbers of dates, and of numbers with decimal
commas, thousands, percent or currencies. A `Task` says what is to be predicted from what. An `Encoder` learns means,
standard deviations and categories from the *training* rows and turns any rows into lists of floats; its `decode` turns
an output of the model back into the words of the table.

>>> import json, tempfile
>>> from pathlib import Path
>>> from chainrule.data import split_indices
>>> folder = tempfile.TemporaryDirectory()
>>> path = Path(folder.name, "fruit.csv")
>>> _ = path.write_text('''weight;colour;fruit
... 150;green;apple
... 170;red;apple
... ;red;apple
... 6;red;cherry
... 8;black;cherry
... 7;red;cherry
... ''')

Delimiter, header, and the kind of each column are found; the last column is the target if none is named:

>>> table = read_csv(path)
>>> task = Task.from_table(table)
>>> task.target, task.goal, task.inputs
('fruit', 'classification', {'weight': 'number', 'colour': 'text'})

Some rows are held out; the encoder never learns from them, and says what it had to fill in:

>>> train, held = split_indices(task.targets(table), fraction=1 / 3, seed=0)
>>> encoder = Encoder.fit(table, task, rows=train)
>>> encoder.classes
('apple', 'cherry')
>>> X, y = encoder.encode(table, train)
>>> len(X), len(X[0]) == len(encoder.features), sorted(y)
(4, True, [0, 0, 1, 1])
>>> encoder.decode([-1.2, 3.4])
'cherry'

A saved model carries the encoder along, and meets new files with it, whatever the order of their columns:

>>> loaded = Encoder.from_config(json.loads(json.dumps(encoder.to_config())))
>>> new = Path(folder.name, "new.csv")
>>> _ = new.write_text("colour,weight\\nyellow,7\\n")
>>> loaded.encode_inputs(read_csv(new)) == [[loaded.inputs[0].standardise(read_csv(new))[0], 0.0, 0.0]]
True
>>> for note in loaded.notes(read_csv(new)):
...     print(note.replace(folder.name, "…"))
…/new.csv, column 'colour': not in the training rows, so all 0: line 2 ('yellow')
>>> write_csv(Path(folder.name, "out.csv"), ["fruit"], [["cherry"]], source=new)
>>> folder.cleanup()
"""

from chainrule.data.tables.columns import ClassColumn, NumberColumn, TextColumn
from chainrule.data.tables.conventions import settle_formats
from chainrule.data.tables.encoder import Encoder
from chainrule.data.tables.files import read_csv, write_csv
from chainrule.data.tables.parquet import read_parquet
from chainrule.data.tables.table import Table
from chainrule.data.tables.task import Task, without_gaps

__all__ = [
    "ClassColumn",
    "Encoder",
    "NumberColumn",
    "Table",
    "Task",
    "TextColumn",
    "read_csv",
    "read_parquet",
    "settle_formats",
    "without_gaps",
    "write_csv",
]
