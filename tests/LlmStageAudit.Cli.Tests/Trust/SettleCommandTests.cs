using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Trust;

/// <summary>The commands that effects of unknown trust come with do what they say, at the cost they say.</summary>
[Collection(AuditCollection.Name)]
public sealed class SettleCommandTests(AuditFixture audit)
{
    [Fact]
    public void A_stage_is_settled_by_retraining_without_it()
    {
        var effect = Effects("--method", "tracin")[1];
        Assert.Equal("second", effect.Text("stage"));
        string[] commands = effect.GetProperty("evidence").Text("settle").Split(" && ");
        Assert.Equal(2, commands.Length);
        var said = commands.Select(Run).ToArray();
        Assert.Equal(["second"], said[0].List("jobs").Texts("stage"));
        Assert.Equal(effect.GetProperty("evidence").Number("settleGradientEquivalents"), said[0].Number("totalSteps"));
        Assert.Equal(["completed"], said[1].List("jobs").Texts("state"));
    }

    [Fact]
    public void Skipped_steps_are_settled_by_exact_replay()
    {
        var effect = Effects("--method", "tracin", "--treatment", "steps", "--steps", "2-3,6")[0];
        var said = Run(effect.GetProperty("evidence").Text("settle"));
        var settled = said.List("effects")[0];
        Assert.Equal("exact", settled.Text("trust"));
        Assert.Equal((2, 6), (settled.Count("firstStep"), settled.Count("lastStep")));
        Assert.Equal(effect.GetProperty("evidence").Number("settleGradientEquivalents"), said.Number("gradientEquivalents"));
    }

    private JsonElement[] Effects(params string[] options)
    {
        var effects = CommandLine.Json(["attribute", audit.Run, "--probe", audit.Probe, .. options]).List("effects");
        Assert.All(effects, effect => Assert.Equal("unknown", effect.Text("trust")));
        return [.. effects];
    }

    /// <summary>As a shell would, in the fixture's folder.</summary>
    private JsonElement Run(string command)
    {
        var words = command.Split(' ');
        Assert.Equal("stageaudit", words[0]);
        return CommandLine.Json(
        [
            .. words.Skip(1).Select(word => word.StartsWith("without-", StringComparison.Ordinal) ? audit.At("settled", word) : word),
        ]);
    }
}
