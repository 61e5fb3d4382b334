namespace LlmStageAudit.Records.Tests.Configuration;

internal static class SampleYaml
{
    /// <summary>The run that the command line's documentation shows.</summary>
    public const string Run = """
        model: { path: ../models/pythia-70m, task: sequence-classification, labels: 2, maxLength: 128 }
        adapter: { recipe: ../adapters/pythia, r: 8, alpha: 8, initFrom: null }      # initFrom: a PEFT folder to start from
        optimizer: { name: sgd, learningRate: 1e-4, momentum: 0.9, weightDecay: 1e-5 }   # or adamw; clipNorm optional
        schedule: { name: linear, warmupRatio: 0.03 }                              # constant, linear, cosine
        seed: 7
        stages:
          - name: religion
            data: { path: data/civil_comments.csv, format: civil-comments, where: "christian >= 0.5", limit: 1000 }
            epochs: 1
            batchSize: 50
            shuffle: true                                                           # false: file order
          - name: race
            data: { path: data/more.jsonl, text: comment, label: "toxicity >= 0.5" }
            optimizer: { learningRate: 5e-5 }                                       # overrides per stage
        probes: [ probes/identity.yaml ]

        """;

    public const string Probe = """
        data: { path: data/identity_probe.csv, text: comment, label: "toxicity >= 0.5", groups: [christian, muslim, black] }
        metric: log-likelihood            # of the label column
        task: sequence-classification     # default: the run's

        """;

    /// <summary>The least that a run needs; tests change one thing in it.</summary>
    public const string Small = """
        model: { path: m, task: sequence-classification }
        adapter: { r: 4 }
        optimizer: { name: adamw, learningRate: 1e-3 }
        stages:
          - { name: one, batchSize: 4, data: { path: a.csv, text: t, label: l } }
          - { name: two.b, batchSize: 8, data: { path: b.csv, text: t, label: l } }

        """;
}
