# Makes the generated tests `tests.__generated__.…`. Without it pytest would import them as
# `__generated__.…`, the package that `src/__generated__` is already.
