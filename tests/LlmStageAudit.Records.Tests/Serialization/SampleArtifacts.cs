using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Verifications;

namespace LlmStageAudit.Records.Tests.Serialization;

/// <summary>One of each artifact, with the doubles that are hardest to keep.</summary>
internal static class SampleArtifacts
{
    public static readonly double[] Doubles =
        [0.1 + 0.2, -0.0, double.Epsilon, double.MaxValue, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1.0 / 3];

    private static readonly DateTime Created = new(2025, 3, 4, 5, 6, 7, 89, DateTimeKind.Utc);

    private static readonly OptimizerSection Optimizer = new() { Name = OptimizerName.AdamW, LearningRate = 1e-4 };

    public static RunManifest Run { get; } = new()
    {
        RunId = "0f3a",
        CreatedUtc = Created,
        ToolVersion = "0.1.0",
        Engine = new EngineRecord { LibTorchVersion = "1.13.1", Threads = 2, Device = "cpu", Machine = "x64", Runtime = "10.0.0" },
        Configuration = new RunConfiguration
        {
            Model = new ModelSection { Path = "/m", Task = ModelTask.CausalLm },
            Optimizer = Optimizer,
            Schedule = new ScheduleSection(),
            Seed = long.MaxValue,
            Stages =
            [
                new StageSection
                {
                    Name = "a", BatchSize = 2, Optimizer = Optimizer, Schedule = new ScheduleSection(),
                    Dataset = new DatasetSection { Path = "/d", Where = "x >= 0.5 & \"<y>\"" },
                },
            ],
        },
        Inputs = [new InputRecord { Role = InputRole.Tokenizer, Path = "/m/tokenizer.json", Sha256 = "ab", SizeBytes = 1L << 40 }],
        ParameterCount = 12,
        Parameters = [new ParameterRecord { Name = "score.weight", Shape = [2, 6] }],
        Start = new RunStart { Kind = RunStartKind.Checkpoint, RunId = "77", RunPath = "/r", AfterStage = "a", SkippedStages = ["b"] },
        Stages = [new StageResult { Name = "a", Index = 0, FirstStep = 1, Steps = 3, LossFirst = 0.1 + 0.2, State = StageState.Completed }],
        State = RunState.Stopped,
    };

    public static EffectsArtifact Effects { get; } = new()
    {
        RunId = "0f3a",
        Run = "/r",
        Probe = Probe(),
        Estimator = Estimator.Parse("sampled-0.25"),
        Treatment = new Treatment.Stage(),
        Metric = "log-likelihood",
        Groups = ["black"],
        CreatedUtc = Created,
        Observed = new ProbeScores
        {
            Mean = -0.7,
            Examples = [new ExampleScore { Id = "ä\u2028<1>", Value = -0.7, LogLikelihood = -0.7, Logits = Doubles, Label = 1 }],
            Metrics = new Dictionary<string, double> { ["auc"] = double.NaN, ["Final Score"] = 0.1 },
            Groups =
            [
                new GroupScores { Group = "black", Examples = 3, Metrics = new Dictionary<string, double> { ["subgroupAuc"] = 0.5 } },
            ],
        },
        Effects =
        [
            new StageEffect
            {
                Stage = "steps 10-12", Metric = "log-likelihood", Estimate = 0.1, Low = double.NaN, High = 0.2, Trust = TrustGrade.High,
                PerExample = [new ExampleEffect { Id = "1", Estimate = -0.0 }],
            },
        ],
    };

    public static RankingArtifact Ranking { get; } = new()
    {
        RunId = "0f3a",
        Run = "/r",
        CreatedUtc = Created,
        Confounder = "christian",
        Probe = Probe(),
        EffectsPath = "effects/identity.json",
        Ranking =
        [
            new RankedStage
            {
                Stage = "a", Score = 0.3, Low = 0.1, High = 0.5, PValue = 0.001, AdjustedPValue = 0.002, Significant = Significance.Yes,
                ObservedGap = 0.4, CounterfactualGap = 0.1,
            },
        ],
        Notes = ["few rows"],
    };

    public static PlanArtifact Plan { get; } = new()
    {
        RunId = "0f3a",
        Run = "/r",
        CreatedUtc = Created,
        Jobs =
        [
            new PlannedJob { Id = "skip-a", Stage = "a", Stages = ["b"], Steps = 10, EstimatedSeconds = 1.5, Run = "skip-a" },
            new PlannedJob
            {
                Id = "skip-b", Stage = "b", StartsAfter = "a", Steps = 0, Run = "skip-b",
                ExpectedEffect = new ExpectedEffect { Metric = "margin", Estimate = 1, Low = 0, High = 2, Gradient = "exact" },
            },
        ],
        TotalSteps = 10,
        EstimatedSeconds = 1.5,
    };

    public static VerificationArtifact Verification { get; } = new()
    {
        RunId = "0f3a",
        PlanPath = "plan.json",
        EffectsPath = "effects/identity.json",
        CreatedUtc = Created,
        Gradient = "exact",
        MinPearson = 0.9,
        Passed = true,
        Stages =
        [
            new VerifiedStage
            {
                Stage = "a", Predicted = 0.1, Measured = 0.1, Pearson = double.NaN, Spearman = 1, RelativeError = 0, Examples = 8,
                PredictedPerExample = Doubles, MeasuredPerExample = Doubles, BitIdentical = true,
            },
        ],
    };

    public static ComparisonArtifact Comparison { get; } = new()
    {
        RunId = "0f3a",
        Run = "/r",
        Probe = Probe(),
        Treatment = new Treatment.Stage(),
        Metric = "log-likelihood",
        CreatedUtc = Created,
        TrainingSteps = 30,
        TrainingSeconds = 12.5,
        Estimators =
        [
            new ComparedEstimator
            {
                Estimator = Estimator.Parse("dvemb"), Pearson = double.NaN, Spearman = 1.0 / 3, RelativeError = 0.1 + 0.2, GradientEquivalents = 70,
                Trainings = 70 / 30.0, Seconds = 3, Failure = "not finite",
                Effects = [new ComparedEffect { Stage = "a", Predicted = -0.0, Measured = double.Epsilon, Pearson = double.NaN }],
            },
        ],
    };

    private static ProbeReference Probe() => new() { Name = "identity", Path = "/p.yaml", Sha256 = "cd", Examples = 1 };
}
