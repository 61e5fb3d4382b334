using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Records.Tests.Serialization;

/// <summary>Records changed by hand: nesting, counts and names that would cost or lead elsewhere.</summary>
public sealed class HostileJsonTests : IDisposable
{
    private const int Deep = 100_000;
    private const string Plan = """{"kind":"plan","schemaVersion":1,""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Texts =>
    [
        new('[', Deep),
        Plan + "\"a\":" + new string('[', Deep),
        Plan + string.Concat(Enumerable.Repeat("\"a\":{", Deep)),
        Plan + "\"runId\":\"" + new string('x', 3_000_000),
        Plan + "\"runId\":" + new string('9', 3_000_000),
        Plan + "\"totalSteps\":1e999999}",
        Plan + "\"runId\":\"\\ud800\"}",
        Plan + "\"\\ud800\":1}",
        Plan + string.Concat(Enumerable.Repeat("\"runId\":\"a\",", Deep)) + "\"x\":1}",
        new(' ', 3_000_000),
        "\0",
        "{}",
        "[]",
        "null",
        "\"" + new string('\\', 100_001),
    ];

    [Theory]
    [MemberData(nameof(Texts), DisableDiscoveryEnumeration = true)]
    public void Hostile_texts_are_refused_in_bounded_time_memory_and_stack(string text)
    {
        var path = _folder.Write("plan.json", text);
        var refused = Assert.IsType<ArtifactException>(Bounded.Record(() => ArtifactJson.Read<PlanArtifact>(path)));
        Assert.True(refused.Message.Length < 3000 && !refused.Message.Any(char.IsControl));
    }

    [Fact]
    public void A_key_of_the_schema_given_twice_is_refused()
    {
        ArtifactJson.Write(_folder.At("plan.json"), SampleArtifacts.Plan);
        var text = File.ReadAllText(_folder.At("plan.json"));
        foreach (var key in (string[])["runId", "run", "createdUtc", "jobs", "totalSteps"])
        {
            var path = _folder.Write("twice.json", text.Insert(1, $"\"{key}\": \"x\","));
            Assert.IsType<ArtifactException>(Bounded.Record(() => ArtifactJson.Read<PlanArtifact>(path)));
        }
    }

    public static TheoryData<string, Func<RunManifest, RunManifest>> Manifests => new()
    {
        { "runId", run => run with { RunId = "../x" } },
        { "runId", run => run with { RunId = "" } },
        { "stages: the index", run => run with { Configuration = run.Configuration with { Stages = [] } } },
        {
            "configuration.stages",
            run => run with { Configuration = run.Configuration with { Stages = [.. Enumerable.Repeat(run.Configuration.Stages[0], 101)] } }
        },
        {
            "configuration.stages",
            run => run with { Configuration = run.Configuration with { Stages = [run.Configuration.Stages[0] with { Name = "../../x" }] } }
        },
        {
            "configuration.stages",
            run => run with { Configuration = run.Configuration with { Stages = [run.Configuration.Stages[0] with { BatchSize = 0 }] } }
        },
        {
            "configuration.stages",
            run => run with
            {
                Configuration = run.Configuration with { Stages = [run.Configuration.Stages[0] with { Epochs = 2_000_000_000 }] },
            }
        },
        {
            "configuration.stages",
            run => run with
            {
                Configuration = run.Configuration with { Stages = [run.Configuration.Stages[0] with { MicroBatchSize = 0 }] },
            }
        },
        {
            "configuration.model.labels",
            run => run with { Configuration = run.Configuration with { Model = run.Configuration.Model with { Labels = int.MaxValue } } }
        },
        { "stages: the index", run => run with { Stages = [run.Stages[0] with { Index = int.MaxValue }] } },
        { "stages: the index", run => run with { Stages = [run.Stages[0] with { Index = -1 }] } },
        { "stages: the index", run => run with { Stages = [run.Stages[0], run.Stages[0]] } },
        { "stages: '../x'", run => run with { Stages = [run.Stages[0] with { Name = "../x" }] } },
        { "stages: steps", run => run with { Stages = [run.Stages[0] with { Steps = -1 }] } },
        { "start.skippedStages", run => run with { Start = run.Start with { SkippedStages = ["a/b"] } } },
        { "parameterCount", run => run with { ParameterCount = long.MaxValue } },
        { "parameters", run => run with { Parameters = [new ParameterRecord { Name = "w", Shape = [-1, long.MaxValue] }] } },
        { "inputs", run => run with { Inputs = [run.Inputs[0] with { Sha256 = "<b>" }] } },
    };

    [Theory]
    [MemberData(nameof(Manifests))]
    public void A_manifest_no_run_could_have_is_refused(string where, Func<RunManifest, RunManifest> change)
    {
        var run = RunFolder.Create(_folder.At("run"));
        run.WriteManifest(change(SampleArtifacts.Run));
        Assert.Contains($"({where}", Assert.Throws<ArtifactException>(() => run.ReadManifest()).Message);
    }

    [Fact]
    public void Effects_and_plans_no_run_could_have_are_refused()
    {
        var path = _folder.At("it.json");
        foreach (var effects in (EffectsArtifact[])
            [
                SampleArtifacts.Effects with { Probe = SampleArtifacts.Effects.Probe with { Name = "a/../b" } },
                SampleArtifacts.Effects with { Probe = SampleArtifacts.Effects.Probe with { Examples = -1 } },
                SampleArtifacts.Effects with { Effects = [SampleArtifacts.Effects.Effects[0] with { FirstStep = 5, LastStep = 4 }] },
            ])
        {
            ArtifactJson.Write(path, effects);
            Assert.Throws<ArtifactException>(() => ArtifactJson.Read<EffectsArtifact>(path));
        }

        ArtifactJson.Write(path, SampleArtifacts.Plan with { Jobs = [SampleArtifacts.Plan.Jobs[0], SampleArtifacts.Plan.Jobs[0]] });
        Assert.Contains("twice", Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(path)).Message);
    }
}
