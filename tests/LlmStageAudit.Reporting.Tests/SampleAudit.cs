using System.Globalization;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests;

/// <summary>A made-up audit of three stages on a probe of 120 rows: fixed numbers, the same on every machine.</summary>
internal static partial class SampleAudit
{
    public const string RunId = "3f9c2a7be1d04586";
    private const int ProbeRows = 120;
    private static readonly DateTime Created = new(2026, 3, 14, 9, 26, 53, DateTimeKind.Utc);
    private static readonly (string Name, double Effect, int Steps)[] Stages =
    [
        ("religion", 0.2143, 40), ("race", -0.0871, 40), ("gender", 0.0094, 30),
    ];

    public static ReportInputs Inputs(Func<string, string>? rename = null)
    {
        var name = rename ?? (text => text);
        var effects = Effects(name);
        return new ReportInputs
        {
            Run = Run(name),
            Effects = [effects, StepEffects(name), ExampleEffects(name)],
            Rankings = [Ranking(name)],
            Verifications = [Verification(effects)],
            Steps = Steps(),
        };
    }

    public static RunManifest Run(Func<string, string> name)
    {
        var optimizer = new OptimizerSection { Name = OptimizerName.AdamW, LearningRate = 1e-4, WeightDecay = 0.01 };
        var schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupRatio = 0.03 };
        var firstStep = 1;
        var results = new List<StageResult>();
        foreach (var (stage, _, steps) in Stages)
        {
            results.Add(new StageResult
            {
                Name = name(stage), Index = results.Count, FirstStep = firstStep, Steps = steps, Examples = steps * 25, LossFirst = 0.6931,
                LossLast = 0.4127, LossMean = 0.5233, TrainSeconds = 41.7, LogSeconds = 1.2, State = StageState.Completed,
                StateSha256 = new string((char)('a' + results.Count), 64), TrajectoryHead = new string((char)('1' + results.Count), 64),
            });
            firstStep += steps;
        }

        return new RunManifest
        {
            RunId = RunId,
            CreatedUtc = Created,
            ToolVersion = "0.1.0",
            Engine = new EngineRecord
            {
                LibTorchVersion = "1.13.1", Threads = 2, Device = "cpu", Machine = "x86_64, Linux 6.1", Runtime = ".NET 10.0.0",
            },
            Configuration = new RunConfiguration
            {
                Model = new ModelSection { Path = "/models/pythia-70m", Task = ModelTask.SequenceClassification, MaxLength = 128 },
                Adapter = new AdapterSection { Rank = 8, Alpha = 8, TargetModules = [name("query_key_value")] },
                Optimizer = optimizer,
                Schedule = schedule,
                Seed = 7,
                Stages = Stages.Select(stage => new StageSection
                {
                    Name = name(stage.Name),
                    Dataset = new DatasetSection { Path = "/data/comments.csv", Where = name(stage.Name) + " >= 0.5" },
                    Epochs = 2, BatchSize = 50, Optimizer = optimizer, Schedule = schedule,
                }).ToArray(),
                Probes = ["/probes/identity.yaml"],
            },
            Inputs =
            [
                Input(InputRole.Model, "/models/pythia-70m/model.safetensors", 'd', 166029852),
                Input(InputRole.Data, "/data/" + name("comments.csv"), 'e', 812345),
            ],
            ParameterCount = 296960,
            Stages = results,
            TrainSeconds = 125.1,
            LogSeconds = 3.6,
            State = RunState.Completed,
        };
    }

    public static EffectsArtifact Effects(Func<string, string> name)
    {
        var observed = Scores(name, 0);
        return new EffectsArtifact
        {
            RunId = RunId,
            Run = "runs/identity",
            Probe = Probe(name),
            Estimator = Estimator.Parse("midpoint"),
            Treatment = new Treatment.Stage(),
            Metric = "log-likelihood",
            Groups = [name("christian"), name("muslim"), name("black")],
            CreatedUtc = Created,
            AttributeSeconds = 96.2,
            GradientEquivalents = 310.5,
            Observed = observed,
            Effects = Stages.Select((stage, index) => new StageEffect
            {
                Stage = name(stage.Name),
                Metric = "log-likelihood",
                Estimate = PerExample(index).Average(),
                Low = PerExample(index).Average() - 0.0348,
                High = PerExample(index).Average() + 0.0361,
                Trust = index switch { 0 => TrustGrade.High, 1 => TrustGrade.Medium, _ => TrustGrade.Low },
                Evidence = Evidence(name, index),
                Counterfactual = Scores(name, stage.Effect),
                PerExample = PerExample(index)
                    .Select((value, row) => new ExampleEffect { Id = name("row-" + row), Estimate = value })
                    .ToArray(),
            }).ToArray(),
        };
    }

    public static VerificationArtifact Verification(EffectsArtifact effects) => new()
    {
        RunId = RunId,
        PlanPath = "plan.json",
        EffectsPath = "runs/identity/effects/identity.json",
        Predictions = effects.Identity,
        CreatedUtc = Created,
        Gradient = "midpoint",
        MinPearson = 0.9,
        Passed = true,
        Stages = effects.Effects.Take(2).Select((effect, index) =>
        {
            var predicted = effect.PerExample.Select(example => example.Estimate).ToArray();
            var measured = predicted.Select((value, row) => (value * 1.03) + (Noise(70 + index, row) * 0.02)).ToArray();
            return new VerifiedStage
            {
                Stage = effect.Stage, Estimator = effects.Estimator, Predicted = effect.Estimate, Measured = measured.Average(), Pearson = 0.9971, Spearman = 0.9958,
                RelativeError = 0.0412, Examples = ProbeRows, PredictedPerExample = predicted, MeasuredPerExample = measured,
                BitIdentical = index == 0 ? false : null,
            };
        }).ToArray(),
    };

    public static RankingArtifact Ranking(Func<string, string> name) => new()
    {
        RunId = RunId,
        Run = "runs/identity",
        CreatedUtc = Created,
        Confounder = name("christian"),
        Probe = Probe(name),
        EffectsPath = "runs/identity/effects/identity.json",
        Ranking = Stages.Select((stage, index) => new RankedStage
        {
            Stage = name(stage.Name), Score = 0.31 - (0.2 * index), Low = 0.22 - (0.2 * index), High = 0.4 - (0.2 * index),
            PValue = 0.00002 + (0.2 * index), AdjustedPValue = 0.00006 + (0.3 * index), Significant = index == 0 ? Significance.Yes : Significance.No,
            ObservedGap = 0.42, CounterfactualGap = 0.11 + (0.2 * index),
        }).ToArray(),
        Notes = [name("Rows without identity labels were left out.")],
    };

    public static IReadOnlyList<StepRecord> Steps()
    {
        var steps = new List<StepRecord>();
        foreach (var (_, _, count) in Stages)
        {
            for (var stageStep = 1; stageStep <= count; stageStep++)
            {
                var share = stageStep / (double)count;
                steps.Add(new StepRecord
                {
                    Step = steps.Count + 1, StageStep = stageStep, Epoch = (stageStep - 1) * 2 / count,
                    LearningRate = 1e-4 * Math.Min(stageStep / 2.0, (count + 1 - stageStep) / (double)count),
                    LossNats = 0.69 - (0.27 * share) + (Noise(9, steps.Count) * 0.05), GradientNorm = 1.5, BatchIds = [],
                });
            }
        }

        return steps;
    }

    private static InputRecord Input(InputRole role, string path, char digit, long sizeBytes) =>
        new() { Role = role, Path = path, Sha256 = new string(digit, 64), SizeBytes = sizeBytes };

    private static ProbeReference Probe(Func<string, string> name) =>
        new() { Name = name("identity"), Path = "/probes/identity.yaml", Sha256 = new string('f', 64), Examples = ProbeRows };

    private static double[] PerExample(int stage) =>
        Enumerable.Range(0, ProbeRows).Select(row => Stages[stage].Effect + (Noise(stage, row) * 0.16)).ToArray();

    private static ProbeScores Scores(Func<string, string> name, double without) => new()
    {
        Mean = -0.4412 - without,
        Metrics = new Dictionary<string, double>
        {
            ["accuracy"] = 0.8083 - (without / 5), ["auc"] = 0.8714 - (without / 4), ["finalScore"] = 0.8312,
        },
        Groups =
        [
            Group(name("christian"), 48, 0.7412, 0.6931 + (without / 2), 0.9107, 0.2125 - without, 0.1331, 14),
            Group(name("muslim"), 37, 0.7038, 0.7214, 0.8843 - (without / 3), 0.1904, 0.2014 + (without / 4), 11),
            Group(name("black"), 9, double.NaN, 0.8102, double.NaN, 0.1111, double.NaN, 0),
        ],
    };

    private static GroupScores Group(
        string group, int examples, double subgroup, double bpsn, double bnsp, double falsePositive, double falseNegative, int positives) =>
        new()
        {
            Group = group,
            Examples = examples,
            Metrics = new Dictionary<string, double>
            {
                ["subgroupAuc"] = subgroup, ["bpsnAuc"] = bpsn, ["bnspAuc"] = bnsp, ["falsePositiveRate"] = falsePositive,
                ["falseNegativeRate"] = falseNegative, ["positives"] = positives,
            },
        };

    // Roughly normal, without the mathematics library's last digits, which differ between machines.
    private static double Noise(int stream, int index)
    {
        var random = StableRandom.For(stream, index.ToString(CultureInfo.InvariantCulture));
        return random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5;
    }
}
