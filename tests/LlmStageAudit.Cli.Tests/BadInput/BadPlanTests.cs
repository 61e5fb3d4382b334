using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.BadInput;

[Collection(AuditCollection.Name)]
public sealed class BadPlanTests(AuditFixture audit) : IDisposable
{
    private readonly BrokenWorkspace _workspace = new(audit);

    public void Dispose() => _workspace.Dispose();

    private string PlanPath => _workspace.At("plan.json");

    [Theory]
    [InlineData("retrain")]
    [InlineData("status")]
    [InlineData("verify")]
    public void What_is_no_plan(string verb)
    {
        _workspace.Refused(3, [verb, PlanPath], PlanPath, "no such file", "check the path");
        _workspace.Write("plan.json", "{\"kind\":\"plan\",");
        _workspace.Refused(3, [verb, PlanPath], PlanPath, "not valid JSON", "write it again");
        _workspace.Write("plan.json", "{\"kind\":\"plan\",\"schemaVersion\":1}");
        _workspace.Refused(3, [verb, PlanPath], PlanPath, "a field is missing");
        _workspace.Write("plan.json", "{\"kind\":\"plan\",\"schemaVersion\":2}");
        _workspace.Refused(3, [verb, PlanPath], PlanPath, "newer version");
        _workspace.Refused(3, [verb, audit.At("sgd-run", "manifest.json")], "kind is 'run'", "expected kind 'plan'");
    }

    [Fact]
    public void A_plan_of_another_run()
    {
        Plan();
        _workspace.Edit("plan.json", audit.Trained("sgd").Text("runId"), new string('0', 32));
        var found = audit.Trained("sgd").Text("runId");
        _workspace.Refused(3, ["retrain", PlanPath], PlanPath, "belongs to run", found, "one run");
    }

    [Fact]
    public void A_plan_that_writes_outside_its_folder()
    {
        Plan();
        _workspace.Edit("plan.json", "plan.runs/skip-second", "../elsewhere");
        _workspace.Refused(3, ["retrain", PlanPath], PlanPath, "skip-second", "not to plan.runs");
    }

    [Fact]
    public void A_stage_the_run_does_not_have() =>
        _workspace.Refused(2, ["plan", audit.Run, "--skip", "secnd", "--out", PlanPath], audit.Run, "no stage 'secnd'",
            "did you mean 'second'?");

    [Fact]
    public void Auto_with_nothing_filed_to_choose_from()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        _workspace.Refused(2, ["plan", _workspace.Out, "--auto", "1"], _workspace.Out, "nothing to choose from",
            "run attribute or rank first");
    }

    [Fact]
    public void Effects_of_another_run()
    {
        // The same configuration on the same data would be the same run.
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out, "--set", "seed=99");
        CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe);
        var effects = audit.EffectsFile("sgd", "exact");
        _workspace.Refused(
            3, ["plan", _workspace.Out, "--skip", "first", "--from", effects], effects, audit.Trained("sgd").Text("runId"), "one run");
    }

    [Fact]
    public void Nothing_was_predicted()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        var plan = _workspace.At("out", "plan.json");
        CommandLine.Json("plan", _workspace.Out, "--skip", "third");
        CommandLine.Json("retrain", plan);
        _workspace.Refused(2, ["verify", plan], plan, "without effects", "run attribute");
    }

    [Theory]
    [InlineData("path: probe.jsonl,", "path: probe.jsonl, limit: 32,")]
    [InlineData("path: probe.jsonl,", "path: probe.jsonl, where: \"blue == 1\",")]
    [InlineData("metric: log-likelihood", "metric: margin")]
    public void A_probe_that_changed_since_the_prediction(string from, string to)
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        CommandLine.Json("attribute", _workspace.Out, "--probe", _workspace.Probe);
        CommandLine.Json("plan", _workspace.Out, "--skip", "third");
        var plan = _workspace.At("out", "plan.json");
        CommandLine.Json("retrain", plan);
        _workspace.Edit("identity.yaml", from, to);
        _workspace.Refused(3, ["verify", plan], _workspace.Probe, "other examples", "identity.replay-exact.stage.json",
            "run attribute again");
    }

    [Fact]
    public void Probe_data_that_changed_since_the_prediction()
    {
        CommandLine.Json("train", _workspace.Config, "--out", _workspace.Out);
        CommandLine.Json("attribute", _workspace.Out, "--probe", _workspace.Probe);
        CommandLine.Json("plan", _workspace.Out, "--skip", "third");
        CommandLine.Json("retrain", _workspace.At("out", "plan.json"));
        _workspace.Edit("probe.jsonl", "\"ids\":[", "\"ids\":[4,");
        _workspace.Refused(3, ["verify", _workspace.At("out", "plan.json")], _workspace.Probe, "data changed", "run attribute again");
    }

    private void Plan() => CommandLine.Json("plan", audit.Run, "--skip", "second", "--out", PlanPath);
}
