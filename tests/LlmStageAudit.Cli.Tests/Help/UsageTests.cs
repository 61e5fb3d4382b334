using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Help;

/// <summary>A command line that cannot be parsed: exit 2, the fault, where to look; nothing on standard output.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData(new[] { "atribute", "runs/a" }, "'atribute'", "did you mean 'attribute'?")]
    [InlineData(new[] { "status", "plan.json", "--jsno" }, "'--jsno'", "did you mean '--json'?")]
    [InlineData(new[] { "plan", "runs/a", "--skp", "first" }, "'--skp'", "did you mean '--skip'?")]
    public void What_is_nearly_a_verb_or_an_option_is_suggested(string[] args, string fault, string suggestion)
    {
        var outcome = Refused(args);
        Assert.Contains(outcome.ErrorLines, line => line.StartsWith("error: ", StringComparison.Ordinal)
            && line.Contains(fault, StringComparison.Ordinal));
        Assert.Contains(suggestion, outcome.ErrorLines);
    }

    [Theory]
    [InlineData(new[] { "frobnicate" }, "see: stageaudit --help")]
    [InlineData(new[] { "attribute", "runs/a", "--zzzzzz" }, "see: stageaudit attribute --help")]
    public void What_is_near_nothing_is_named(string[] args, string last)
    {
        var outcome = Refused(args);
        Assert.Contains($"'{args[^1]}'", outcome.Error);
        Assert.Equal(last, outcome.ErrorLines[^1]);
    }

    [Theory]
    [InlineData(new[] { "attribute", "runs/a" }, "--probe")]
    [InlineData(new[] { "train" }, "train")]
    [InlineData(new[] { "verify", "plan.json", "--min-pearson", "much" }, "much")]
    [InlineData(new[] { "plan", "runs/a", "--auto", "two" }, "two")]
    [InlineData(new[] { "doctor", "--log-level", "loud" }, "loud")]
    [InlineData(new[] { "retrain", "plan.json", "--threads", "0" }, "--threads: 0; expected 1 to 1024")]
    [InlineData(new[] { "retrain", "plan.json", "--threads", "-3" }, "--threads: -3")]
    [InlineData(new[] { "retrain", "plan.json", "--threads", "many" }, "many")]
    [InlineData(new[] { "retrain", "plan.json", "--threads" }, "--threads")]
    [InlineData(new[] { "retrain", "plan.json", "--device", "tpu" }, "--device")]
    public void What_is_missing_or_wrong_is_named(string[] args, string mention) => Assert.Contains(mention, Refused(args).ErrorLines[0]);

    [Fact]
    public void A_device_the_machine_lacks_is_refused()
    {
        // No machine has as many.
        var outcome = Refused(["train", "run.yaml", "--device", "cuda:99"]);
        Assert.Matches("^error: --device cuda:99: [0-9]+ CUDA devices found$", outcome.ErrorLines[0]);
    }

    [Fact]
    public void No_verb_at_all_is_a_usage_error() => Refused([]);

    [Fact]
    public void A_value_that_begins_with_an_at_sign_is_a_value()
    {
        var outcome = CommandLine.Run("status", "@plan.json");
        Assert.Equal(3, outcome.ExitCode);
        Assert.Contains("@plan.json", Assert.Single(outcome.ErrorLines));
    }

    private static CommandOutcome Refused(string[] args)
    {
        var outcome = CommandLine.Run(args);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        Assert.DoesNotContain("   at ", outcome.Error);
        return outcome;
    }
}
