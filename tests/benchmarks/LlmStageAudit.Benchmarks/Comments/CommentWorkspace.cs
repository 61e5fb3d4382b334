using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Benchmarks.Comments;

/// <summary>
/// A folder of its own in which LoRA is trained on real tweets: a GPT-NeoX of Pythia-14M's shape with random weights and the real Pythia
/// tokenizer. Labels: toxic, where `normal` is not among the sentiments.
/// </summary>
internal sealed class CommentWorkspace : IDisposable
{
    public const int ProbeTweets = 400;
    public const int BatchSize = 50;
    private const int MaxLength = 40;

    private const string Shape = """
        {
          "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox",
          "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 6, "num_attention_heads": 4, "vocab_size": 50304,
          "max_position_embeddings": 2048, "rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": true,
          "hidden_act": "gelu", "layer_norm_eps": 1e-05, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1
        }
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("stageaudit-benchmark-").FullName;

    public CommentWorkspace()
    {
        Comments = Repository.Shared("data/comments/mlma_en.csv");
        Directory.CreateDirectory(At("model"));
        File.Copy(Repository.Shared("data/pythia/tokenizer.json"), At("model", "tokenizer.json"));
        File.WriteAllText(At("model", "config.json"), Shape);
    }

    /// <summary>The tweets.</summary>
    public string Comments { get; }

    public static OptimizerSection Sgd { get; } =
        new() { Name = OptimizerName.Sgd, LearningRate = 1e-3, Momentum = 0.9, WeightDecay = 1e-5 };

    public static OptimizerSection AdamW(double learningRate) =>
        new() { Name = OptimizerName.AdamW, LearningRate = learningRate, WeightDecay = 0.01 };

    /// <summary>What every result file says of the model.</summary>
    public static string Description =>
        "A GPT-NeoX of Pythia-14M's shape (128 hidden, 6 layers) with random weights, since no pretrained base is at hand, and the real "
            + $"Pythia tokenizer (texts cut at {MaxLength} tokens); LoRA with r = 8 on query_key_value, and the classification head. "
            + "Real tweets (the English MLMA set), toxic where `normal` is not among the sentiments; a linear schedule with 3% of warm-up.";

    public string At(params string[] parts) => Path.Combine([_root, .. parts]);

    /// <summary>The first tweets that fulfil a condition.</summary>
    public DatasetSection Tweets(string where, int limit) => new()
    {
        Path = Comments, Text = "tweet", Id = "HITId", Label = "not (sentiment contains 'normal')", Where = where, Limit = limit,
    };

    /// <summary>One job on a data set.</summary>
    public static StageSection Stage(
        string name, DatasetSection data, OptimizerSection optimizer, int epochs, int batchSize = BatchSize, bool shuffle = true) => new()
        {
            Name = name,
            Dataset = data,
            Epochs = epochs,
            BatchSize = batchSize,
            Shuffle = shuffle,
            Optimizer = optimizer,
            Schedule = Schedule,
        };

    private static ScheduleSection Schedule { get; } = new() { Name = ScheduleName.Linear, WarmupRatio = 0.03 };

    /// <summary>The setting of [AA], appendix E.2: three jobs of 500 tweets each, by the group a tweet is aimed at.</summary>
    public StageSection[] ThreeStages(OptimizerSection optimizer, int epochs) =>
    [
        .. new[] { "origin", "gender", "disability" }.Select(target =>
            Stage(target, Tweets($"target == '{target}'", 500), optimizer, epochs)),
    ];

    /// <summary>Trains a run and opens it.</summary>
    /// <param name="name">Of its folder.</param>
    public TrainedRun Train(string name, StageSection[] stages, long seed)
    {
        var configuration = new RunConfiguration
        {
            Model = new ModelSection
            {
                Path = At("model"), Task = ModelTask.SequenceClassification, MaxLength = MaxLength, Weights = ModelWeights.Random,
            },
            Adapter = new AdapterSection { Rank = 8, Alpha = 8, TargetModules = ["query_key_value"] },
            Optimizer = stages[0].Optimizer,
            Schedule = Schedule,
            Seed = seed,
            Stages = stages,
        };
        RunTrainer.Train(configuration, At(name), CPU, null, default);
        return TrainedRun.Open(At(name));
    }

    /// <summary>The log-likelihood of the label of tweets aimed at other groups than the three stages'.</summary>
    public Probe ReadProbe(TrainedRun run)
    {
        var configuration = new ProbeConfiguration
        {
            Name = "tweets",
            Path = At("tweets.yaml"),
            Dataset = Tweets("target in ('religion', 'sexual_orientation', 'other')", ProbeTweets),
        };
        return Probe.Read(configuration, run.Model, run.Materials.Reader);
    }

    /// <summary>What training a run took, its log included.</summary>
    public static double TrainingSeconds(TrainedRun run) => run.Manifest.Stages.Sum(static stage => stage.TrainSeconds + stage.LogSeconds);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
