"""Requests and responses of the service, as its OpenAPI schema describes them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from .limits import Limits, RequestError

JsonObject = dict[str, Any]

EXAMPLE = "Ingrid Solheim left Oslo."
BODY = (
    'The body must be a JSON object with either "text" or "texts", '
    "sent with Content-Type: application/json."
)
EXPECTED = {
    "text": "a string of valid Unicode",
    "texts": "a list of strings of valid Unicode",
    "min_confidence": "a number from 0 to 1",
    "tokens": "true or false",
}
UNKNOWN = f"The body has an unknown key. Known keys: {', '.join(EXPECTED)}."


def _unicode(text: str) -> str:
    text.encode()  # raises a ValueError for half a surrogate pair, which JSON can contain
    return text


Text = Annotated[str, AfterValidator(_unicode)]


class Request(BaseModel):
    """One text or several."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "oneOf": [{"required": ["text"]}, {"required": ["texts"]}],
            "examples": [
                {"text": EXAMPLE},
                {"texts": [EXAMPLE, "Rain fell."], "min_confidence": 0.5, "tokens": False},
            ],
        },
    )

    text: Text = Field("", description="One text. The answer is its annotation.")
    texts: list[Text] = Field(
        [],
        fail_fast=True,  # only the first error is reported
        description="Several texts. The answer has their annotations in the same order.",
    )
    min_confidence: float = Field(
        0.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Entities with a lower score are left out.",
    )
    tokens: bool = Field(True, description="Whether the answer has tokens.")

    @model_validator(mode="after")
    def _has_either(self) -> "Request":
        if len({"text", "texts"} & self.model_fields_set) != 1:
            raise PydanticCustomError("either", "expected either text or texts")
        return self

    def named(self) -> dict[str, str]:
        """Return the texts by their names in messages: `text`, or `texts[0]`, `texts[1]`, ..."""
        if "text" in self.model_fields_set:
            return {"text": self.text}
        return {f"texts[{number}]": text for number, text in enumerate(self.texts)}


class Token(BaseModel):
    """A token, with half-open character offsets."""

    text: str
    start: int
    end: int
    id: int = Field(description="The index in the text, from 0.")
    ws: bool = Field(description="Whether a space follows.")


class Entity(BaseModel):
    """An entity, with half-open character offsets."""

    start: int
    end: int
    token_start: int = Field(description="The id of its first token.")
    token_end: int = Field(description="The id of its last token.")
    label: str
    score: float | None = Field(
        None, description="The confidence from 0 to 1. Absent if the pipeline gives none."
    )


class Annotation(BaseModel):
    """A text with its entities, in Prodigy's format."""

    text: str
    tokens: list[Token] | None = Field(
        None, description="Absent if the request has `tokens: false`."
    )
    spans: list[Entity]


class Annotations(BaseModel):
    """The annotations of several texts, in the same order."""

    results: list[Annotation]


class Health(BaseModel):
    """The service accepts texts."""

    status: str = Field(examples=["ok"])


class Sizes(BaseModel):
    """Limits of the service."""

    chars: int = Field(description="Characters per text.")
    texts: int = Field(description="Texts per request.")


class Model(BaseModel):
    """The pipeline that finds the entities."""

    name: str = Field(examples=["en_bert_ner"])
    version: str
    description: str
    labels: list[str] = Field(description="Labels that entities can have.")
    gives_scores: bool = Field(description="Whether an entity has a score.")
    trained_on: str
    training: JsonObject = Field(description="Recipe, encoder, epochs and seed.")
    performance: JsonObject = Field(description="The scores in its meta.json, as fractions of 1.")
    limits: Sizes


class Error(BaseModel):
    """The problem, and usually the remedy."""

    error: str = Field(examples=["text: 12,345 characters, and at most 10,000 are accepted. ..."])


def check_size(body: Any, limits: Limits) -> Any:
    """Refuse a body that would be slow to validate: pydantic reports every unknown key.

    body (Any): The parsed JSON.
    limits (Limits): `texts` is used.
    RETURNS (Any): The body.
    RAISES (RequestError): 422 if there are too many keys or texts.
    """
    if isinstance(body, dict):
        if len(body) > len(EXPECTED):
            raise RequestError(422, UNKNOWN)
        if isinstance(texts := body.get("texts"), list):
            limits.check_count(len(texts))
    return body


def explain_invalid(errors: Sequence[Mapping[str, Any]]) -> str:
    """Explain the first error in a request's body without quoting the body.

    errors (Sequence[Mapping]): The errors from pydantic.
    RETURNS (str): One sentence.
    """
    place = [*errors[0]["loc"][1:], ""]
    if errors[0]["type"] == "extra_forbidden":
        return UNKNOWN
    if place[0] in EXPECTED:
        index = f"[{place[1]}]" if isinstance(place[1], int) else ""
        expected = EXPECTED["text" if index else place[0]]
        return f"{place[0]}{index}: expected {expected}."
    return BODY
