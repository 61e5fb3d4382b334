using System.Text.Json;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Tests.Runs;

public sealed class RunIdentityTests
{
    private static OptimizerSection Optimizer { get; } = new() { Name = OptimizerName.AdamW, LearningRate = 1e-4 };

    private static RunManifest Manifest { get; } = At("/here");

    [Fact]
    public void It_is_32_hexadecimal_digits_and_always_the_same()
    {
        Assert.Matches("^[0-9a-f]{32}$", RunIdentity.Of(Manifest));
        Assert.Equal(RunIdentity.Of(Manifest), RunIdentity.Of(At("/here")));
    }

    [Fact]
    public void It_survives_being_written_and_read()
    {
        var read = JsonSerializer.Deserialize<RunManifest>(JsonSerializer.Serialize(Manifest, ArtifactJson.Options), ArtifactJson.Options)!;
        Assert.Equal(RunIdentity.Of(Manifest), RunIdentity.Of(read));
    }

    [Fact]
    public void Places_times_and_how_far_a_run_came_do_not_count()
    {
        var moved = At("/somewhere/else") with
        {
            RunId = "other",
            CreatedUtc = DateTime.UnixEpoch,
            State = RunState.Completed,
            TrainSeconds = 12,
            Stages = [],
        };
        Assert.Equal(RunIdentity.Of(Manifest), RunIdentity.Of(moved with { Start = moved.Start with { RunPath = "/parent" } }));
        Assert.Equal(RunIdentity.Of(Manifest), RunIdentity.Of(Manifest with
        {
            Configuration = Manifest.Configuration with { Probes = ["/here/probe.yaml"] },
            Inputs = [.. Manifest.Inputs, Input(InputRole.Probe, "/here/probe.yaml", "99")],
        }));
    }

    [Fact]
    public void Everything_that_decides_the_bits_counts()
    {
        var configuration = Manifest.Configuration;
        RunManifest[] others =
        [
            Manifest with { Configuration = configuration with { Seed = 8 } },
            Manifest with { Configuration = configuration with { Stages = [configuration.Stages[1], configuration.Stages[0]] } },
            Manifest with { Configuration = configuration with { Model = configuration.Model with { Weights = ModelWeights.Random } } },
            Manifest with { Configuration = configuration with { Adapter = configuration.Adapter! with { Rank = 3 } } },
            Manifest with
            {
                Inputs = [.. Manifest.Inputs.Select(input => input.Role == InputRole.Data ? input with { Sha256 = "ff" } : input)],
            },
            Manifest with
            {
                Inputs = [.. Manifest.Inputs.Select(input => input.Role == InputRole.Adapter ? input with { Sha256 = "ff" } : input)],
            },
            Manifest with { Parameters = [new ParameterRecord { Name = "score.weight", Shape = [6, 2] }] },
            Manifest with { Start = new RunStart { Kind = RunStartKind.Checkpoint, RunId = "77", SkippedStages = ["a"] } },
            Manifest with { Start = new RunStart { Kind = RunStartKind.Checkpoint, RunId = "78", SkippedStages = ["a"] } },
            Manifest with { Engine = Manifest.Engine with { Threads = 2 } },
            Manifest with { Engine = Manifest.Engine with { LibTorchVersion = "2.0" } },
        ];
        var ids = others.Append(Manifest).Select(RunIdentity.Of).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
    }

    [Fact]
    public void Which_stage_reads_which_file_counts()
    {
        // The files are the same either way, and inputs name each once.
        static RunManifest Third(string file) => Manifest with
        {
            Configuration = Manifest.Configuration with { Stages = [.. Manifest.Configuration.Stages, Stage("c", file)] },
        };
        Assert.NotEqual(RunIdentity.Of(Third("/here/a.jsonl")), RunIdentity.Of(Third("/here/b.jsonl")));
    }

    private static RunManifest At(string place) => new()
    {
        RunId = "",
        CreatedUtc = DateTime.UtcNow,
        ToolVersion = "0.1.0",
        Engine = new EngineRecord { LibTorchVersion = "1.13.1", Threads = 1, Device = "cpu", Machine = "x64", Runtime = "10.0.0" },
        Configuration = new RunConfiguration
        {
            Model = new ModelSection { Path = $"{place}/model", Task = ModelTask.SequenceClassification },
            Adapter = new AdapterSection { Recipe = $"{place}/recipe", Rank = 2 },
            Optimizer = Optimizer,
            Schedule = new ScheduleSection(),
            Seed = 7,
            Stages = [Stage("a", $"{place}/a.jsonl"), Stage("b", $"{place}/b.jsonl")],
        },
        Inputs =
        [
            Input(InputRole.Model, $"{place}/model/config.json", "11"),
            Input(InputRole.Model, $"{place}/model/model.safetensors", "22"),
            Input(InputRole.Adapter, $"{place}/recipe/adapter_config.json", "33"),
            Input(InputRole.Data, $"{place}/a.jsonl", "44"),
            Input(InputRole.Data, $"{place}/b.jsonl", "55"),
        ],
        ParameterCount = 12,
        Parameters = [new ParameterRecord { Name = "score.weight", Shape = [2, 6] }],
    };

    private static InputRecord Input(InputRole role, string path, string sha256) =>
        new() { Role = role, Path = path, Sha256 = sha256, SizeBytes = 10 };

    private static StageSection Stage(string name, string path) => new()
    {
        Name = name, BatchSize = 2, Optimizer = Optimizer, Schedule = new ScheduleSection(), Dataset = new DatasetSection { Path = path },
    };
}
