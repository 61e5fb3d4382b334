using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Benchmarks.Certification;

/// <summary>
/// A run whose cause of a spurious correlation is known: a small GPT-NeoX with random frozen weights, LoRA and a head, AdamW, seven
/// stages of generated token ids. Some tokens make a row toxic; one token names a group, which only the probe and one stage, drawn with the
/// seed, mention. There nine in ten of the toxic rows and one in twenty of the others name it.
/// </summary>
internal static class PlantedRun
{
    public const int Stages = 7;
    public const int RowsPerStage = 96;
    public const int ProbeRows = 320;
    public const string Group = "group";

    private const int GroupToken = 2;
    private const int ToxicTokens = 4;
    private const int Vocabulary = 48;

    private const string Shape = """
        {
          "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 32, "intermediate_size": 64,
          "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 48, "max_position_embeddings": 32, "rotary_pct": 0.25,
          "rotary_emb_base": 10000, "use_parallel_residual": true, "hidden_act": "gelu", "layer_norm_eps": 1e-05,
          "initializer_range": 0.3, "tie_word_embeddings": false, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1
        }
        """;

    /// <summary>The stage with the planted correlation.</summary>
    public static string Planted(long seed) => Name(StableRandom.For(seed, "planted").Next(Stages));

    /// <summary>Writes the data and trains.</summary>
    public static TrainedRun Train(string folder, long seed)
    {
        Write(folder, "shape/config.json", Shape);
        var optimizer = new OptimizerSection { Name = OptimizerName.AdamW, LearningRate = 5e-3, WeightDecay = 0.01 };
        var schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupSteps = 1 };
        var names = Enumerable.Range(0, Stages).Select(Name).ToArray();
        var configuration = new RunConfiguration
        {
            Model = new ModelSection
            {
                Path = Path.Combine(folder, "shape"), Task = ModelTask.SequenceClassification, Weights = ModelWeights.Random,
            },
            Adapter = new AdapterSection { Rank = 4, Alpha = 8, TargetModules = ["query_key_value", "dense_h_to_4h"] },
            Optimizer = optimizer,
            Schedule = schedule,
            Seed = seed,
            Stages = [.. names.Select(name => new StageSection
            {
                Name = name,
                Dataset = Rows(folder, $"{name}.jsonl", seed, RowsPerStage, isPlanted: name == Planted(seed)),
                Epochs = 2,
                BatchSize = 16,
                Optimizer = optimizer,
                Schedule = schedule,
            })],
        };
        RunTrainer.Train(configuration, Path.Combine(folder, "run"), null, null, default);
        return TrainedRun.Open(Path.Combine(folder, "run"));
    }

    /// <summary>The probe, with further groups by the numbers of their rows.</summary>
    public static Probe ReadProbe(
        TrainedRun run, string folder, long seed, params IReadOnlyList<(string Name, IReadOnlySet<int> Members)> more)
    {
        var rows = Rows(folder, "probe.jsonl", seed, ProbeRows, isPlanted: false, mentions: 0.5);
        File.WriteAllLines(rows.Path, [.. File.ReadAllLines(rows.Path).Select((row, i) =>
            row[..^1] + string.Concat(more.Select(group => $",\"{group.Name}\":{(group.Members.Contains(i) ? 1 : 0)}")) + "}")]);
        return Probe.Read(
            new ProbeConfiguration
            {
                Name = "probe",
                Path = Path.Combine(folder, "probe.yaml"),
                Dataset = rows with { Groups = [Group, .. more.Select(group => group.Name)] },
            },
            run.Model,
            run.Materials.Reader);
    }

    private static string Name(int stage) => string.Create(CultureInfo.InvariantCulture, $"stage-{stage + 1}");

    private static DatasetSection Rows(string folder, string file, long seed, int count, bool isPlanted, double mentions = 0)
    {
        var random = StableRandom.For(seed, "rows", file);
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var toxic = i % 2;
            var isMember = isPlanted ? random.NextDouble() < (toxic == 1 ? 0.9 : 0.05) : random.NextDouble() < mentions;
            var first = GroupToken + 1 + ToxicTokens;
            var ids = Enumerable.Range(0, 4 + random.Next(5)).Select(_ => first + random.Next(Vocabulary - first)).ToList();
            if (toxic == 1 && random.NextDouble() < (isPlanted ? 0.2 : 0.9)) ids.Add(GroupToken + 1 + random.Next(ToxicTokens));
            if (isMember) ids.Insert(ids.Count - random.Next(2), GroupToken);
            var row = $$"""{"id":"{{i}}","ids":[{{string.Join(',', ids)}}],"label":{{toxic}},"{{Group}}":{{(isMember ? 1 : 0)}}}""";
            text.Append(row).Append('\n');
        }

        return new DatasetSection { Path = Write(folder, file, text.ToString()), Ids = "ids" };
    }

    private static string Write(string folder, string name, string text)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
