using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
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
        Assert.Null(FiledResults.NewestEffects(folder));
        Assert.Null(FiledResults.NewestRanking(folder));
    }

    [Fact]
    public void Effects_of_steps_are_passed_over_where_those_of_stages_are_wanted()
    {
        var folder = RunFolder.Create(_folder.At("run"));
        var stages = run.Effects(("first", [.1]));
        Write("old", stages, 1);
        Write("new", stages, 2);
        Write("by-step", stages with { Treatment = new Treatment.EachStep() }, 3);
        Write("by-steps", stages with { Treatment = new Treatment.Steps() }, 4);
        Assert.Equal(folder.EffectsPath("new"), FiledResults.NewestEffects(folder));

        void Write(string id, EffectsArtifact effects, int minutes)
        {
            ArtifactJson.Write(folder.EffectsPath(id), effects);
            File.SetLastWriteTimeUtc(folder.EffectsPath(id), s_time.AddMinutes(minutes));
        }
    }
}
