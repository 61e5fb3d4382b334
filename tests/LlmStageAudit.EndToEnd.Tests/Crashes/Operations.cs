namespace LlmStageAudit.EndToEnd.Tests.Crashes;

[CollectionDefinition(Name)]
public sealed class OperationsCollection : ICollectionFixture<Operations>
{
    public const string Name = "operations";
}

/// <summary>The commands that campaigns break off, each measured once, and the completed runs that some of them start from.</summary>
public sealed class Operations : IDisposable
{
    private readonly Dictionary<string, Operation> _measured = [];
    private readonly HashSet<string> _trained = [];

    internal CrashWorkspace Workspace { get; } = new();

    internal Operation Train(string optimizer)
    {
        string[] args = ["train", Workspace.At($"{optimizer}.yaml"), "--out", Run, "--threads", "1"];
        return Measured(new Operation($"train, {optimizer}", null, args, [.. args, "--resume"]));
    }

    internal Operation Attribute(string optimizer)
    {
        string[] args =
        [
            "attribute", Run, "--probe", Workspace.At("probe.yaml"), "--export-adapters", Path.Combine(Workspace.Out, "adapters"),
            "--save-every", "0", "--threads", "1",
        ];
        return Measured(new Operation($"attribute, {optimizer}", Trained(optimizer), args, [.. args, "--resume"]));
    }

    internal Operation Retrain(string optimizer)
    {
        string[] args = ["retrain", Path.Combine(Run, "plan.json"), "--threads", "1"];
        return Measured(new Operation($"retrain, {optimizer}", Trained(optimizer), args, args));
    }

    internal Operation Plan()
    {
        string[] args = ["plan", Run, "--skip", "second", "--out", Path.Combine(Workspace.Out, "plans", "one.json")];
        return Measured(new Operation("plan", Trained("sgd"), args, args));
    }

    internal Operation Merge()
    {
        var adapter = Path.Combine(Run, "stages", "03-third", "state");
        string[] args =
            ["merge", "--model", Workspace.Model, "--adapter", adapter, "--out", Path.Combine(Workspace.Out, "merged"), "--threads", "1"];
        return Measured(new Operation("merge", Trained("sgd"), args, args));
    }

    public void Dispose() => Workspace.Dispose();

    private string Run => Path.Combine(Workspace.Out, "run");

    private Operation Measured(Operation operation)
    {
        if (_measured.TryGetValue(operation.Name, out var known)) return known;
        return _measured[operation.Name] = operation.Measured(Workspace);
    }

    /// <summary>A folder to copy from: a completed run with a plan that leaves out the first and the last stage.</summary>
    private string Trained(string optimizer)
    {
        var kept = Workspace.At("kept", optimizer);
        if (!_trained.Add(optimizer)) return kept;
        Workspace.Reset();
        Workspace.Succeed("train", Workspace.At($"{optimizer}.yaml"), "--out", Run, "--threads", "1");
        Workspace.Succeed("plan", Run, "--skip", "first", "third");
        Directory.CreateDirectory(kept);
        ArtifactTree.Copy(Workspace.Out, kept);
        return kept;
    }
}
