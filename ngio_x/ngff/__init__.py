"""On disk: OME-NGFF documents, and the files they describe.

In the order of the data's way:

- `documents` are what metadata say, whatever the version, and `v03` to `v06` how that looks in each; `attributes` goes
  from the attributes of a group to a document and back, and `overlay` keeps what nobody understands.
- `rules` and `formalities` are what the specification asks of documents (readers, and validation alone), `levels` what
  it asks of arrays; `problems` are what they find, and `validate` reports it.
- `store` opens and makes groups, `hierarchy` finds what lies at one; `pixels` are read lazily, `facts` stand in the
  attributes of a tree; `read` makes a tree of it all, and `engine` does so for xarray.
- `given` is what a caller wants written, and `draft` what that will be on disk, before anything is; `write` writes
  images and labels, and `region` pieces of them.
"""
