using System.Diagnostics;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>
/// A disk that is full, fails or writes half, at every call that changes files: the command says so in one line, leaves nothing half made
/// that a later one takes for whole, and goes on when there is room again. A share of the cases; the whole campaign is scripts/crash.sh.
/// </summary>
[Collection(OperationsCollection.Name)]
public sealed class FaultCampaignTests(Operations operations)
{
    private static readonly Func<int, Fault>[] s_kinds =
    [
        call => new Fault("enospc", call), call => new Fault("eio", call), call => new Fault("short", call),
        call => new Fault("enospc", call, IsSticky: true), call => new Fault("eio", call, IsSticky: true),
    ];

    private CrashWorkspace Workspace => operations.Workspace;

    [FaultFact]
    public void A_command_whose_disk_fails_says_so_and_loses_nothing()
    {
        // Every so many-th call, each with another kind; the script says 1, which means every call of the training with each of
        // three kinds.
        var stride = CampaignReport.Points("FAULT_STRIDE", 55);
        var cases = new List<(Operation Operation, Fault Fault)>(
            stride == 1 ? All(operations.Train("sgd")) : Every(stride, operations.Train("sgd")));
        foreach (var operation in new[] { operations.Train("adamw"), operations.Retrain("sgd"), operations.Attribute("sgd") })
            cases.AddRange(Every(Math.Max(2, stride), operation));
        foreach (var operation in new[] { operations.Plan(), operations.Merge() }) cases.AddRange(Every(stride, operation));

        // In any order, so that a campaign that ends early has seen something of everything.
        var order = cases.ToArray();
        StableRandom.For(47, "faults").Shuffle<(Operation Operation, Fault Fault)>(order);
        var tallies = new SortedDictionary<string, FaultTally>(StringComparer.Ordinal);
        var campaign = Stopwatch.StartNew();
        foreach (var (operation, fault) in order.TakeWhile(_ => !CampaignReport.IsOver(campaign))) Inject(operation, fault, tallies);

        foreach (var (name, tally) in tallies)
            CampaignReport.Row("injected", name, tally.Points, tally.Done, tally.Stopped, tally.Failed, tally.Identical);
        Assert.Empty(tallies.Values.SelectMany(tally => tally.Faults));
        Assert.All(tallies.Values, tally => Assert.Equal(tally.Points, tally.Identical));
    }

    [FaultFact]
    public void A_full_disk_stops_a_run_where_it_can_go_on_and_says_how()
    {
        var train = operations.Train("sgd");
        Workspace.Reset();
        // In the middle of the run no more room comes.
        var ended = Workspace.Execute(train.Args, new Fault("enospc", train.Calls / 2, IsSticky: true));
        Assert.True(ended.ExitCode == 75, ended.ToString());
        var line = ended.Error.Split('\n').Single(text => text.Contains("disk is full", StringComparison.Ordinal));
        Assert.Contains("all completed stages and every whole record of the log are kept", line, StringComparison.Ordinal);
        Assert.Contains("free some space, then run the same command again to go on (train: with --resume)", line, StringComparison.Ordinal);
        Workspace.Succeed(train.Again);
        Assert.Empty(ArtifactTree.Differences(train.Tree, ArtifactTree.Of(Workspace.Out)));
    }

    private static IEnumerable<(Operation Operation, Fault Fault)> Every(int stride, Operation operation) =>
        Enumerable.Range(0, (operation.Calls + stride - 1) / stride)
            .Select(index => (operation, s_kinds[index % s_kinds.Length](1 + (index * stride))));

    // What goes on failing differs from what fails once only in how the command clears up, so a third of the calls does.
    private static IEnumerable<(Operation Operation, Fault Fault)> All(Operation operation) =>
        Enumerable.Range(1, operation.Calls).SelectMany(call => s_kinds.Select(kind => (operation, kind(call))))
            .Where(pair => !pair.Item2.IsSticky || pair.Item2.At % 3 == 0);

    private void Inject(Operation operation, Fault fault, SortedDictionary<string, FaultTally> tallies)
    {
        var name = $"{operation.Name} | {fault.Name}";
        if (!tallies.TryGetValue(name, out var tally)) tallies[name] = tally = new FaultTally();
        var where = $"{operation.Name}, {fault}";
        tally.Points++;
        Workspace.Reset(operation.Start);
        var ended = Workspace.Execute(operation.Args, fault);
        switch (ended.ExitCode)
        {
            case 0:
                tally.Done++;
                if (ArtifactTree.Differences(operation.Tree, ArtifactTree.Of(Workspace.Out)) is { Length: > 0 } differences)
                    tally.Fail($"{where}: done, but {string.Join("; ", differences)}");
                break;
            case 75:
                tally.Stopped++;
                if (!ended.Error.Contains("disk is full", StringComparison.Ordinal)) tally.Fail($"{where}: {ended}");
                break;
            case 1:
                tally.Failed++;
                var errors = ended.Error.Split('\n').Count(line => line.StartsWith("error: ", StringComparison.Ordinal));
                var isTyped = ended.Error.Contains("the disk is full (", StringComparison.Ordinal)
                    || ended.Error.Contains("the disk fails (", StringComparison.Ordinal);
                if (errors != 1 || !isTyped) tally.Fail($"{where}: {ended}");
                break;
            default:
                tally.Fail($"{where}: {ended}");
                break;
        }

        var again = Workspace.Execute(operation.Again);
        if (again.ExitCode != 0 && !(ended.ExitCode == 0 && operation.Name == "merge"))
        {
            tally.Fail($"{where} ({ended}): run again: {again}");
            return;
        }

        var left = ArtifactTree.Differences(operation.Tree, ArtifactTree.Of(Workspace.Out));
        if (left.Length == 0) tally.Identical++;
        else tally.Fail($"{where} ({ended}): run again: {string.Join("; ", left)}");
    }
}
