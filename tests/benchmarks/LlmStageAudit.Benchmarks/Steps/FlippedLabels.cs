using System.Text;
using System.Text.Json;
using LlmStageAudit.Benchmarks.Comments;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Benchmarks.Steps;

/// <summary>A job on tweets in which some whole batches have every label wrong.</summary>
internal static class FlippedLabels
{
    public const int Batches = 30;
    public const int FlippedBatches = 6;
    private const long Seed = 20261122;

    /// <summary>Writes the tweets in the order they are to be trained in.</summary>
    /// <returns>The data set, and the steps (from 1) whose batch is flipped.</returns>
    public static (DatasetSection Dataset, IReadOnlySet<int> Flipped) Write(CommentWorkspace workspace)
    {
        string[] targets = ["origin", "gender", "disability"];
        const int tweets = Batches * CommentWorkspace.BatchSize;
        var all = CommentSet.Read(workspace.Comments).Rows;
        CommentRow[] rows =
            [.. targets.SelectMany(target => all.Where(row => row.Text("target") == target).Take(tweets / targets.Length))];
        if (rows.Length < tweets) throw AbsenceException.Of($"{rows.Length} tweets of {tweets}");
        var random = StableRandom.For(Seed, "flipped labels");
        random.Shuffle<CommentRow>(rows);
        int[] steps = [.. Enumerable.Range(1, Batches)];
        random.Shuffle<int>(steps);
        var flipped = steps.Take(FlippedBatches).ToHashSet();
        var text = new StringBuilder();
        for (var i = 0; i < rows.Length; i++)
        {
            var toxic = !rows[i].Text("sentiment")!.Contains("normal", StringComparison.Ordinal);
            var label = toxic != flipped.Contains(1 + (i / CommentWorkspace.BatchSize)) ? 1 : 0;
            text.AppendLine(JsonSerializer.Serialize(new { id = $"tweet-{i}", tweet = rows[i].Text("tweet"), label }));
        }

        File.WriteAllText(workspace.At("flipped.jsonl"), text.ToString());
        return (new DatasetSection { Path = workspace.At("flipped.jsonl"), Text = "tweet", Label = "label" }, flipped);
    }
}
