using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records;
using LlmStageAudit.Retraining.Tests.Runs;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Retraining.Tests.Plans;

[Collection(TinyRunCollection.Name)]
public sealed class FiledResultsTests(RetrainableRun run) : IDisposable
{
    private static readonly DateTime s_time = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_newest_comes_first_and_other_files_do_not_count()
    {
        foreach (var (name, minutes) in new[] { ("b.json", 1), ("c.json", 3), ("a.json", 1), ("newest.txt", 9), ("d.json.partial", 9) })
        {
            File.SetLastWriteTimeUtc(_folder.Write(name, "{}"), s_time.AddMinutes(minutes));
        }

        Assert.Equal(["c.json", "a.json", "b.json"], FiledResults.Files(_folder.Path).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public void No_folder_holds_nothing()
    {
        var folder = RunFolder.Create(_folder.At("run"));
        Assert.Empty(FiledResults.Files(folder.EffectsFolder));
    }

    /// <summary>Found by what it answers and by what, not by when it was written.</summary>
    [Fact]
    public void A_result_is_found_by_its_identity_and_across_versions_only_where_asked_for()
    {
        var folder = RunFolder.Create(_folder.At("run"));
        var effects = run.Effects(("first", [.1])) with { ToolVersion = "1.0.0" };
        ArtifactJson.Write(folder.EffectsPath("a"), effects);
        ArtifactJson.Write(folder.EffectsPath("b"), effects with { Treatment = new Treatment.EachStep() });
        Assert.Equal(folder.EffectsPath("a"), FiledResults.Find(folder, effects.Identity)!.Value.Path);
        var later = effects.Identity with { ToolVersion = "2.0.0" };
        Assert.Null(FiledResults.Find(folder, later));
        Assert.Equal(folder.EffectsPath("a"), FiledResults.Find(folder, later, byAnyTool: true)!.Value.Path);
        Assert.Null(FiledResults.Find(folder, later with { Estimator = Estimator.Exact }, byAnyTool: true));
        Assert.Null(FiledResults.Find(folder, later with { Metric = "margin" }, byAnyTool: true));
    }
}
