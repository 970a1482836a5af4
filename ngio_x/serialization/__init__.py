"""Every value as JSON, and the converter of cattrs that makes it so; the values themselves know nothing of it.

- `values` teaches a converter the values of ngio_x and subclasses of them.
- `strict` makes a converter strict about all else: containers, unions, numbers, classes of users.
- `documents` goes to JSON and back with such a converter, and tells all problems with their paths (`problems`).
"""
