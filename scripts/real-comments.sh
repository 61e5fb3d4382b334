#!/usr/bin/env bash
# Train to report on real tweets (the MLMA hate-speech set) with the real Pythia tokenizer: a GPT-NeoX of Pythia-14M's
# shape with random weights, three LoRA stages by the group a tweet is aimed at.
#   scripts/real-comments.sh COMMENTS.csv TOKENIZER.json [OUT]
set -euo pipefail

scripts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
if (($# < 2)); then
  sed -n 's/^#   /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
comments=$(readlink -f "$1")
tokenizer=$(readlink -f "$2")
out=${3:-real-comments-run}
stageaudit=$scripts/stageaudit

mkdir -p "$out/model"
out=$(readlink -f "$out")
cp "$tokenizer" "$out/model/tokenizer.json"
cat >"$out/model/config.json" <<'JSON'
{
  "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox",
  "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 6, "num_attention_heads": 4, "vocab_size": 50304,
  "max_position_embeddings": 2048, "rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": true,
  "hidden_act": "gelu", "layer_norm_eps": 1e-05, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1
}
JSON

data() { # CONDITION LIMIT
  echo "path: $comments, text: tweet, id: HITId, label: \"not (sentiment contains 'normal')\", where: \"$1\", limit: $2"
}
cat >"$out/run.yaml" <<YAML
model: { path: model, task: sequence-classification, labels: 2, maxLength: 64, weights: random }
adapter: { recipe: $(dirname "$scripts")/adapters/pythia }
optimizer: { name: sgd, learningRate: 3e-3, momentum: 0.9, weightDecay: 1e-5 }
schedule: { name: linear, warmupRatio: 0.03 }
seed: 7
batchSize: 50
stages:
  - { name: origin, data: { $(data "target == 'origin'" 500) } }
  - { name: gender, data: { $(data "target == 'gender'" 500) } }
  - { name: disability, data: { $(data "target == 'disability'" 500) } }
YAML
cat >"$out/tweets.yaml" <<YAML
data: { $(data "target in ('religion', 'sexual_orientation', 'other')" 400), groups: ["group == 'women'", "group == 'gay'", "group == 'muslims'"] }
YAML

run=$out/run
"$stageaudit" train "$out/run.yaml" --out "$run"
for gradient in recorded sampled exact; do
  "$stageaudit" attribute "$run" --probe "$out/tweets.yaml" --gradient "$gradient"
done
"$stageaudit" rank "$run" --probe "$out/tweets.yaml" --confounder "group == 'women'"
"$stageaudit" plan "$run" --skip origin gender disability --from "$run/effects/tweets.replay-exact.stage.json"
"$stageaudit" retrain "$run/plan.json"
effects=$run/effects/tweets.replay
"$stageaudit" verify "$run/plan.json" --effects "$effects-recorded.stage.json"
"$stageaudit" verify "$run/plan.json" --effects "$effects-sampled-0.25.stage.json"
"$stageaudit" verify "$run/plan.json" --effects "$effects-exact.stage.json" --min-pearson 0.99
"$stageaudit" report "$run"
