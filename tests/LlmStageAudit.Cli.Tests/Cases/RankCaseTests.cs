using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>Groups of one, two and few rows, and groups drawn at random, which no stage can have treated differently.</summary>
public sealed class RankCaseTests : IDisposable
{
    private const string Needs = "cases/rank-tiny-group";

    private readonly CaseFolder _folder = new("rank-tiny-group");

    /// <summary>One row against one, one among 400, two among 400: no spread to learn from, and so no answer.</summary>
    [SharedTheory(Needs)]
    [InlineData("probe1.yaml", "muslim", true)]
    [InlineData("probe3.yaml", "atheist", true)]
    [InlineData("probe4.yaml", "atheist", true)]
    public void Groups_of_one_and_two_rows_have_no_answer(string probe, string group, bool hasNoInterval)
    {
        Train();
        var said = Rank(probe, group);
        Assert.Contains("too-few-rows", said.List("warnings").Texts("code"));
        Assert.Equal(2, said.List("ranking").Length);
        foreach (var stage in said.List("ranking"))
        {
            Assert.Equal("too-few-rows", stage.Text("significant"));
            Assert.InRange(stage.Count("members"), 1, 4);
            Assert.Equal(hasNoInterval, stage.GetProperty("low").ValueKind == System.Text.Json.JsonValueKind.String);
        }

        CommandLine.Json("report", _folder.Out);
        var page = File.ReadAllText(Path.Combine(_folder.Out, "report.html"));
        Assert.Contains("too few rows to say", page);
        Assert.DoesNotContain("significant in this run, adjusted", page);
    }

    /// <summary>Of 16 stage scores of groups of one size, at a false discovery rate of 5%.</summary>
    [SharedTheory(Needs)]
    [InlineData("g1", 0)]
    [InlineData("g2", 0)]
    [InlineData("g5", 1)]
    [InlineData("g20", 2)]
    public void Random_groups_are_hardly_ever_called_significant(string probe, int most)
    {
        Train();
        var called = Enumerable.Range(0, 8)
            .SelectMany(group => Rank(Path.Combine("random-groups", $"{probe}.yaml"), $"g{group}").List("ranking").Texts("significant"))
            .Count(verdict => verdict == "yes");
        Assert.InRange(called, 0, most);
    }

    [SharedFact("cases/_fine/rank-three-classes")]
    public void A_model_of_three_classes_is_ranked()
    {
        using var folder = new CaseFolder("_fine/rank-three-classes");
        folder.Trained("run.yaml", "--set", $"model.path={CaseFolder.Beside("_base", "ids_model")}");
        var said = CommandLine.Json("rank", folder.Out, "--probe", folder.At("probe.yaml"), "--confounder", "g");
        Assert.True(double.IsFinite(Assert.Single(said.List("ranking")).Number("score")));
    }

    public void Dispose() => _folder.Dispose();

    private void Train() => CommandLine.Json("train", CaseFolder.Beside("_base", "run_ids.yaml"), "--out", _folder.Out);

    private System.Text.Json.JsonElement Rank(string probe, string group) =>
        CommandLine.Json("rank", _folder.Out, "--probe", _folder.At(probe), "--confounder", group);
}
