"""The section `pretrain`: what an architecture's weights learn from reviews without their labels."""

from typing import Annotated, Literal

from pydantic import Field

from sentiment_rnn.params.model import ModelParams
from sentiment_rnn.params.section import Count, Section

NO_LANGUAGE_MODEL = {
    "conv_lstm": "sees the token that it should tell",
    "transformer": "sees the token that it should tell",
    "echo_state": "has no weights that learn",
}


class VectorsParams(Section):
    """Skip-gram: `window` words to each side, `negative` drawn words against each of them.

    Words that occur less than `min_count` times are left out; `sample`: the share of all words above which a frequent
    word is read the less often the more frequent it is (0: never).
    """

    window: Count
    negative: Count
    epochs: Count
    min_count: Count
    sample: Annotated[float, Field(ge=0, lt=1)]


class LanguageModelParams(Section):
    """How many of the unlabelled reviews are read, how often, at which highest learning rate."""

    reviews: Count
    max_epochs: Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]


class PretrainParams(Section):
    """What an architecture whose `pretrained` is true starts from."""

    kind: Literal["none", "vectors", "lm"]
    seed: int
    vectors: VectorsParams
    lm: LanguageModelParams

    def check(self, where: str, model: ModelParams) -> None:
        """Refuse an architecture that cannot be a language model, where it should be one.

        Raises:
            ValueError: which one, named by `where`, and why.
        """
        if self.kind != "lm":
            return
        if model.cell in NO_LANGUAGE_MODEL:
            raise ValueError(f"{where}.cell: {model.cell} {NO_LANGUAGE_MODEL[model.cell]}: pretrain.kind cannot be lm")
        if model.bidirectional and model.num_layers > 1:
            raise ValueError(
                f"{where}.num_layers: above both directions a layer sees the token that it should tell: "
                f"1, or pretrain.kind not lm (it is {model.num_layers})"
            )
        if model.padding == "front":
            raise ValueError(f"{where}.padding: front would be told like tokens: back, or pretrain.kind not lm")
