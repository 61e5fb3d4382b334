using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Help;

[Collection(AuditCollection.Name)]
public sealed class CultureTests(AuditFixture audit)
{
    [Fact]
    public void Under_a_culture_with_decimal_commas_numbers_are_the_same()
    {
        string[] json = ["evaluate", audit.Run, "--probe", audit.Probe, "--per-example", "--json"];
        string[] table = json[..^1];
        var (expectedJson, expectedTable) = (CommandLine.Succeed(json).Output, CommandLine.Succeed(table).Output);
        Assert.Equal(expectedJson, HelpTests.InCulture("de-DE", () => CommandLine.Succeed(json).Output));
        Assert.Equal(expectedTable, HelpTests.InCulture("de-DE", () => CommandLine.Succeed(table).Output));
    }

    [Fact]
    public void Numbers_are_read_with_a_decimal_point_under_any_culture()
    {
        string[] attribute = ["attribute", audit.Run, "--probe", audit.Probe, "--gradient", "sampled", "--rho", "0.5"];
        var expected = CommandLine.Json(attribute);
        var german = HelpTests.InCulture("de-DE", () => CommandLine.Json(attribute));
        Assert.Equal(expected.List("effects").Numbers("estimate"), german.List("effects").Numbers("estimate"));
        Assert.EndsWith("identity.replay-sampled-0.5.stage.json", german.Text("file"));

        var trained = HelpTests.InCulture("de-DE", () => CommandLine.Json(
            "train", audit.At("sgd.yaml"), "--out", audit.At("german"), "--set", "optimizer.learningRate=0.2"));
        Assert.Equal(audit.Trained("sgd").List("stages").Numbers("loss"), trained.List("stages").Numbers("loss"));
    }
}
