"""The user's own corpus, described in assets/own/corpus.toml."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import InputError, printable
from ..files import read_toml
from .formats import ColumnFormat, CsvFormat, Format
from .spec import Corpus, recorded_name

# A field's title says in an error what is expected.
_TEXT = Field(title="a text in quotes")
_COLUMN = Field(title="a whole number, 0 or more", ge=0)
Text = Annotated[str, _TEXT]
OptionalText = Annotated[str | None, _TEXT]
Column = Annotated[int, _COLUMN]
OptionalColumn = Annotated[int | None, _COLUMN]
Share = Annotated[float, Field(title="a number between 0 and 0.5", gt=0, lt=0.5)]


class Description(BaseModel):
    """The keys that both formats have. assets/README.md explains them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    train: Text
    dev: OptionalText = None
    test: OptionalText = None
    dev_share: Share = 0.1
    test_share: Share = 0.1
    sentences_per_document: int = Field(default=1, title="a whole number, 1 or more", ge=1)
    encoding: Text = "utf-8"
    title: Text = "your corpus"
    licence: Text = "not stated"
    url: Text = ""
    paper: Text = ""
    example: Text = ""
    labels: dict[str, str] = Field(default={}, title="a table with a text for each label")

    @model_validator(mode="after")
    def _check_splits(self) -> Self:
        for split in ("dev", "test"):
            if {split, f"{split}_share"} <= self.model_fields_set:
                raise ValueError(f"has both {split} and {split}_share. Remove one.")
        files = self.files()
        if len({recorded_name(name) for name in files.values()}) < len(files):
            raise ValueError("two splits name the same file, or files of the same name.")
        return self

    def files(self) -> dict[str, str]:
        """Name the native file of each split that has one."""
        names = {"train": self.train, "dev": self.dev, "test": self.test}
        return {split: name for split, name in names.items() if name is not None}

    def shares(self) -> dict[str, float]:
        """Give each split without a file its share of the train file."""
        shares = {"dev": self.dev_share, "test": self.test_share}
        return {split: share for split, share in shares.items() if split not in self.files()}

    def native_format(self) -> Format:
        """Make the format of the native files."""
        raise NotImplementedError


class ColumnsDescription(Description):
    """Description of a corpus with one token a line, in columns."""

    format: Literal["columns"] = "columns"
    token: Column = 0
    tag: Column = 1
    pos: OptionalColumn = None
    separator: Text = ""
    document_marker: Text = "-DOCSTART-"

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        if self.token == self.tag:
            raise ValueError(f"token and tag name the same column, {self.token}. Fix one.")
        return self

    def native_format(self) -> ColumnFormat:
        """Make the format of the native files."""
        return ColumnFormat(
            token=self.token,
            tag=self.tag,
            pos=self.pos,
            separator=self.separator or None,
            encoding=self.encoding,
            document_marker=self.document_marker,
        )


class CsvDescription(Description):
    """Description of a corpus in a comma-separated table with a header."""

    format: Literal["csv"]
    token: Text = "Word"
    tag: Text = "Tag"
    pos: Text = ""
    sentence: Text = "Sentence #"

    def native_format(self) -> CsvFormat:
        """Make the format of the native files."""
        return CsvFormat(
            sentence=self.sentence,
            token=self.token,
            tag=self.tag,
            pos=self.pos or None,
            encoding=self.encoding,
        )


MODELS: dict[str, type[Description]] = {"columns": ColumnsDescription, "csv": CsvDescription}


def load(path: Path) -> Corpus:
    """Read the description of a user's corpus.

    path (Path): The TOML file.
    RETURNS (Corpus): The corpus.
    RAISES (InputError): For the first missing, unknown or wrong key.
    """
    description = _validate(path)
    return Corpus(
        name="own",
        title=description.title,
        pipeline="bert_own_ner",
        description=f"Entities as annotated in {description.title}.",
        licence=description.licence,
        url=description.url,
        paper=description.paper,
        example=description.example,
        labels=description.labels,
        format=description.native_format(),
        files=description.files(),
        shares=description.shares(),
        sentences_per_document=description.sentences_per_document,
        described_in=path,
    )


def _validate(path: Path) -> Description:
    if not path.exists():
        raise InputError(
            f"{path}: not found. Describe your corpus there, starting with "
            f'train = "my-train-file.txt"; assets/README.md explains the keys.'
        )
    values = read_toml(path)
    kind = values.get("format", "columns")
    if not isinstance(kind, str) or kind not in MODELS:
        raise InputError(
            f"{path}: format: expected one of {', '.join(MODELS)}, found {_shown(kind)}. "
            f'Use "columns" or "csv".'
        )
    try:
        return MODELS[kind].model_validate(values)
    except ValidationError as error:
        raise InputError(f"{path}: {_explain(error, MODELS[kind], kind)}") from error


def _explain(error: ValidationError, model: type[Description], kind: str) -> str:
    """Describe the first mistake in one line."""
    errors = error.errors(include_url=False)
    unknown = (e for e in errors if e["type"] == "extra_forbidden")  # such as a misspelt key
    first = next(unknown, errors[0])
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f'the key "{key}" is missing. Name the file with the sentences.'
    if first["type"] == "extra_forbidden":
        if any(key in other.model_fields for other in MODELS.values()):
            return f'the key "{key}" cannot be used with format = "{kind}". Remove it.'
        return f'unknown key "{printable(key)}". Known: {", ".join(sorted(model.model_fields))}.'
    expected = model.model_fields[str(first["loc"][0])].title
    return (
        f"{printable(key)}: expected {expected}, found {_shown(first['input'])}. "
        f"Fix the value; assets/README.md explains the key."
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return printable(text if len(text) <= 80 else text[:77] + "...")
