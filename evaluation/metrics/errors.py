"""What can go wrong while a dataset is measured."""


class DatasetError(ValueError):
    """The folder is no dataset that can be measured: schema.json is missing, broken or impossible."""


class MetricUndefined(ValueError):
    """A metric has no value on this data; the row of the report becomes an error, which no gate passes."""


class UnknownProfile(ValueError):
    """The gate profile does not exist."""
