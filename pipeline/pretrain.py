"""Stage pretrain: what an architecture starts from, in data/pretrained/ARCH; figures in reports/pretrain/ARCH.json."""

from pathlib import Path

import datasets

from pipeline import architecture_named, home, pretrained
from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import write_json
from sentiment_rnn.params import RECIPE
from sentiment_rnn.pretraining.learn import learn


def main(name: str) -> None:
    datasets.disable_progress_bars()
    chosen = params.load()
    model = chosen.model_of(name)
    if not model.pretrained:
        raise UserError(f"params.yaml: models.{name}.pretrained: nothing would start from this: true")
    if pretrained(name) != Path(f"data/pretrained/{name}"):
        raise UserError(f"{name} starts from what {RECIPE[-1]} does: python -m pipeline.pretrain {RECIPE[-1]}")
    report = learn(
        name,
        model,
        chosen.pretrain,
        chosen.trainer,
        vocab_size=chosen.tokenizer.vocab_size,
        tokens=Path("data/tokens"),
        work=Path(f"work/pretrain/{name}"),
        out=pretrained(name),
    )
    write_json(home(name) / f"reports/pretrain/{name}.json", report)


if __name__ == "__main__":
    main(architecture_named())
