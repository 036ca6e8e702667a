"""Stage compare: figures of all networks and linear rivals in reports/comparison.{json,csv,md,png}, test among them."""

import csv
from pathlib import Path

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation import plots
from sentiment_rnn.evaluation.compare import by_epoch, markdown, score_on_test, summarise
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect


def main() -> None:
    chosen = params.load()
    dataset = load_identity("data/tokens")["dataset"]
    client = connect()
    rows, document = [], {}
    for name in [*chosen.architectures, *chosen.linear.rivals]:
        trained = read_json(f"reports/train/{name}.json")
        seeds = []
        for seed in score_on_test(trained, Path("models"), Path("data/tokens"), Path("data/raw")):
            if runs.exists(client, seed["run_id"]):
                client.log_metric(seed["run_id"], "final_test_accuracy", seed["test_accuracy"])
            seeds.append(seed)
        rows.append(summarise(name, trained["protocol"], seeds))
        if trained["protocol"] == "document":
            document[name] = by_epoch([read_json(f"models/{name}/seed-{seed['seed']}/history.json") for seed in seeds])
        print(f"{name}: test accuracy {rows[-1]['test_accuracy']:.4f}", flush=True)

    write_json(
        "reports/comparison.json",
        {
            "dataset": dataset,
            "architectures": {row["architecture"]: row for row in rows},
            "document_test_accuracy_by_epoch": document,
        },
    )
    with open("reports/comparison.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = markdown(rows, dataset, document)
    Path("reports/comparison.md").write_text(table)
    plots.comparison(rows, dataset).savefig("reports/comparison.png", dpi=120)
    print(table)


if __name__ == "__main__":
    main()
