using System.Text.Json;
using System.Text.Json.Nodes;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Surface;

[CollectionDefinition(Name)]
public sealed class AuditCollection : ICollectionFixture<AuditFixture>
{
    public const string Name = "audit";
}

/// <summary>A tiny audit made through the command line alone: a base, and a run of three stages per optimizer, each made once.</summary>
public sealed class AuditFixture : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, JsonElement> _trained = [];
    private readonly Dictionary<string, string> _retrained = [];

    public AuditFixture()
    {
        TinyWorkspace.Write(_folder.Path);
        BaseTraining = CommandLine.Json("train", At("base.yaml"), "--out", At("base-run"));
        Trained("sgd");
    }

    /// <summary>What `train` said of the base, all of whose parameters were trained.</summary>
    public JsonElement BaseTraining { get; }

    public string Folder => _folder.Path;

    /// <summary>A Hugging Face model folder.</summary>
    public string Model => At("base-run", "stages", "01-language", "state");

    public string Probe => At("identity.yaml");

    /// <summary>The run folder of the SGD run.</summary>
    public string Run => At("sgd-run");

    public string At(params string[] parts) => _folder.At(parts);

    /// <summary>What `train` said of a run; its folder is named after the optimizer.</summary>
    public JsonElement Trained(string optimizer)
    {
        if (!_trained.TryGetValue(optimizer, out var said))
            _trained[optimizer] = said = CommandLine.Json("train", At($"{optimizer}.yaml"), "--out", At($"{optimizer}-run"));
        return said;
    }

    /// <summary>A plan that leaves out every stage in turn, retrained; effects by the gradient source are filed beside it.</summary>
    public string RetrainedPlan(string optimizer, string gradient)
    {
        Trained(optimizer);
        var run = At($"{optimizer}-run");
        var effects = CommandLine.Json("attribute", run, "--probe", Probe, "--gradient", gradient).Text("file");
        if (_retrained.TryGetValue(optimizer, out var plan)) return plan;
        plan = At(optimizer + "-plans", "all.json");
        CommandLine.Json(["plan", run, "--skip", .. TinyWorkspace.Stages, "--out", plan, "--from", effects]);
        CommandLine.Json("retrain", plan);
        return _retrained[optimizer] = plan;
    }

    /// <summary>Where `attribute` files effects of whole stages.</summary>
    public string EffectsFile(string optimizer, string gradient) =>
        At($"{optimizer}-run", "effects", $"identity.replay-{gradient}.stage.json");

    /// <summary>Effects as an older version filed them, by a source that nothing computes any more; made of exact ones.</summary>
    public string OldEffects(string optimizer, string source)
    {
        CommandLine.Json("attribute", At($"{optimizer}-run"), "--probe", Probe);
        var old = JsonNode.Parse(File.ReadAllText(EffectsFile(optimizer, "exact")))!.AsObject();
        (old["schemaVersion"], old["estimator"], old["toolVersion"]) = (2, $"replay-{source}", "0.0.1");
        foreach (var effect in old["effects"]!.AsArray()) effect!["trust"] = "high";
        File.WriteAllText(EffectsFile(optimizer, source), old.ToJsonString());
        return EffectsFile(optimizer, source);
    }

    public void Dispose() => _folder.Dispose();
}
