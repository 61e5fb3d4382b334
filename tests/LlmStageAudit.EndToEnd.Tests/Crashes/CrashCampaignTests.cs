using System.Diagnostics;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>
/// Commands killed anywhere, and run again: the files at the end are those of a run that nothing disturbed. A share of the cases; the
/// whole campaign is scripts/crash.sh.
/// </summary>
[Collection(OperationsCollection.Name)]
public sealed class CrashCampaignTests(Operations operations)
{
    private CrashWorkspace Workspace => operations.Workspace;

    [FaultFact]
    public void A_killed_command_run_again_ends_with_the_same_bytes()
    {
        var points = CampaignReport.Points("KILLS", 4);
        Func<Operation>[] broken =
        [
            () => operations.Train("sgd"),
            () => operations.Attribute("sgd"),
            () => operations.Retrain("sgd"),
            () => operations.Train("adamw"),
            () => operations.Attribute("adamw"),
            () => operations.Retrain("adamw"),
            () => operations.Train("sgd"),
            () => operations.Train("adamw"),
        ];
        var tallies = new SortedDictionary<string, CrashTally>(StringComparer.Ordinal);
        var campaign = Stopwatch.StartNew();
        for (var point = 0; point < points && !CampaignReport.IsOver(campaign); point++)
        {
            var random = StableRandom.For(41, "kill", $"{point}");
            Kill(broken[point % broken.Length](), point, random, tallies);
        }

        Report("kills", tallies);
    }

    [FaultFact]
    public void A_command_that_lost_power_run_again_ends_with_the_same_bytes()
    {
        var points = CampaignReport.Points("POWER", 2);
        Func<Operation>[] broken =
        [
            () => operations.Train("sgd"),
            () => operations.Train("adamw"),
            () => operations.Retrain("sgd"),
            () => operations.Attribute("sgd"),
        ];
        var tallies = new SortedDictionary<string, CrashTally>(StringComparer.Ordinal);
        var campaign = Stopwatch.StartNew();
        for (var point = 0; point < points && !CampaignReport.IsOver(campaign); point++)
        {
            var random = StableRandom.For(43, "power", $"{point}");
            LosePower(broken[point % broken.Length](), point, random, tallies);
        }

        Report("power", tallies);
    }

    // Half of the points are calls, the other half moments; a third is killed again on its way back.
    private void Kill(Operation operation, int point, StableRandom random, SortedDictionary<string, CrashTally> tallies)
    {
        var tally = Tally(tallies, operation);
        var (fault, moment) = NextKill(operation, point % 16 < 8, random);
        Ended ended;
        do
        {
            Workspace.Reset(operation.Start);
            ended = Workspace.Execute(operation.Args, fault, moment);
            // Done before its moment came: a machine's pace varies, so the moment is brought forward.
            if (ended.ExitCode == 0) moment *= 0.7;
        }
        while (ended.ExitCode == 0 && moment > operation.Elapsed * 0.2);

        if (!Counts(ended, tally, $"{operation.Name}, {Describe(fault, moment)}")) return;
        var (logs, completed) = (TrajectoryTally.Logs(Workspace.Out), CompletedStages.In(Workspace.Out));
        if (random.Next(3) == 0)
        {
            var (again, later) = NextKill(operation, random.Next(2) == 0, random);
            if (Workspace.Execute(operation.Again, again, later).ExitCode == Ended.Killed) tally.KilledTwice++;
        }

        Finish(operation, tally, $"{operation.Name}, {Describe(fault, moment)}", logs, completed);
    }

    private void LosePower(Operation operation, int point, StableRandom random, SortedDictionary<string, CrashTally> tallies)
    {
        var tally = Tally(tallies, operation);
        Workspace.Reset(operation.Start);
        var fault = new Fault("power", 1 + random.Next(operation.Calls));
        var unflushed = (Unflushed)(point % 3);
        var where = $"{operation.Name}, {fault}, {unflushed}";
        if (!Counts(Workspace.Execute(operation.Args, fault), tally, where)) return;
        var promised = TrajectoryTally.Promised(Workspace.Out);
        DiskImage.Restore(Workspace.Out, Workspace.Shadow, unflushed, random);
        var completed = CompletedStages.In(Workspace.Out);
        foreach (var path in promised.Keys.Where(path => !completed.ContainsKey(Path.Combine(Workspace.Out, path))))
            tally.Fail($"{where}: {path} was completed before, and is not after");
        // What a disk keeps by chance may go; what it was told to keep may not.
        var logs = promised;
        if (unflushed == Unflushed.Lost)
        {
            foreach (var (path, bytes) in TrajectoryTally.Logs(Workspace.Out)) logs.TryAdd(path, bytes);
        }

        if (random.Next(3) == 0)
        {
            var again = new Fault("power", 1 + random.Next(operation.Calls));
            if (Workspace.Execute(operation.Again, again).ExitCode == Ended.Killed)
            {
                tally.KilledTwice++;
                DiskImage.Restore(Workspace.Out, Workspace.Shadow, unflushed, random);
                completed = [];
            }
        }

        Finish(operation, tally, where, logs, completed);
    }

    private void Finish(
        Operation operation, CrashTally tally, string where, SortedDictionary<string, byte[]> logs, Dictionary<string, DateTime> completed)
    {
        var ended = Workspace.Execute(operation.Again);
        if (ended.ExitCode != 0)
        {
            tally.Fail($"{where}: run again: {ended}");
            return;
        }

        tally.CompletedTouched += CompletedStages.Touched(completed);
        foreach (var (path, bytes) in logs)
        {
            var (shared, whole) = TrajectoryTally.Compare(bytes, operation.Logs.GetValueOrDefault(path, []));
            tally.RecordsFound += whole;
            tally.RecordsLost += whole - shared;
        }

        var differences = ArtifactTree.Differences(operation.Tree, ArtifactTree.Of(Workspace.Out));
        if (differences.Length == 0) tally.Identical++;
        else tally.Fail($"{where}: {string.Join("; ", differences)}");
        foreach (var run in Workspace.Runs())
        {
            var proof = Workspace.Execute(["verify-log", run]);
            if (proof.ExitCode != 0) tally.Fail($"{where}: verify-log {run}: {proof}");
        }
    }

    private static (Fault? Fault, TimeSpan? Moment) NextKill(Operation operation, bool isCall, StableRandom random) => isCall
        ? (new Fault(random.Next(3) == 0 ? "tear" : "kill", 1 + random.Next(operation.Calls)), null)
        : (null, operation.Elapsed * (0.4 + (random.Next(1000) / 1500.0)));

    private static bool Counts(Ended ended, CrashTally tally, string where)
    {
        tally.Points++;
        if (ended.ExitCode == Ended.Killed) tally.Killed++;
        else if (ended.ExitCode != 0) tally.Fail($"{where}: {ended}");
        return ended.ExitCode is 0 or Ended.Killed;
    }

    private static string Describe(Fault? fault, TimeSpan? moment) =>
        fault?.ToString() ?? $"kill after {moment!.Value.TotalMilliseconds:0} ms";

    private static CrashTally Tally(SortedDictionary<string, CrashTally> tallies, Operation operation)
    {
        if (!tallies.TryGetValue(operation.Name, out var tally)) tallies[operation.Name] = tally = new CrashTally();
        return tally;
    }

    private static void Report(string table, SortedDictionary<string, CrashTally> tallies)
    {
        foreach (var (name, tally) in tallies)
        {
            CampaignReport.Row(
                table,
                name,
                tally.Points,
                tally.Killed,
                tally.KilledTwice,
                tally.Identical,
                tally.RecordsFound,
                tally.RecordsLost,
                tally.CompletedTouched);
        }

        Assert.Empty(tallies.Values.SelectMany(tally => tally.Faults));
        Assert.All(
            tallies.Values,
            tally => Assert.Equal((tally.Points, 0, 0), (tally.Identical, tally.RecordsLost, tally.CompletedTouched)));
    }
}
