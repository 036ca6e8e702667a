"""Stage pretrain: what an architecture starts from, in data/pretrained/ARCH; figures in best/reports/pretrain.json."""

from pathlib import Path

import datasets

from pipeline import architecture_named
from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import write_json
from sentiment_rnn.pretraining.learn import learn


def main(name: str) -> None:
    datasets.disable_progress_bars()
    chosen = params.load()
    model = chosen.model_of(name)
    if not model.pretrained:
        raise UserError(f"params.yaml: models.{name}.pretrained: nothing would start from this: true")
    report = learn(
        name,
        model,
        chosen.pretrain,
        chosen.trainer,
        vocab_size=chosen.tokenizer.vocab_size,
        tokens=Path("data/tokens"),
        out=Path(f"data/pretrained/{name}"),
    )
    write_json("best/reports/pretrain.json", report)


if __name__ == "__main__":
    main(architecture_named())
