using LlmStageAudit.Artifacts.Randomness;
using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Artifacts.Trajectories;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>What a check of a run's logs found.</summary>
/// <param name="Records">Records whose hashes hold.</param>
/// <param name="Findings">What is wrong, one line each; empty: nothing.</param>
/// <param name="Replayed">Steps whose gradient was computed again.</param>
/// <param name="WorstGradientError">The largest relative difference between a logged and a recomputed gradient; null where none was.</param>
public sealed record LogVerification(int Records, IReadOnlyList<string> Findings, int Replayed, double? WorstGradientError);

/// <summary>
/// Checks the logs of a run: every record's hash and its chain, the chain's end against the manifest, and, for randomly chosen
/// steps, the gradient itself, computed again at the state that the log leads to.
/// </summary>
public static class LogVerifier
{
    /// <summary>A recomputed gradient further off than this is not rounding.</summary>
    private const double GradientTolerance = 1e-4;

    /// <summary>The hash chains alone; needs no model and no data.</summary>
    public static LogVerification Verify(RunFolder folder, CancellationToken cancellation)
    {
        var manifest = folder.ReadManifest();
        var findings = new List<string>();
        var records = 0;
        foreach (var stage in manifest.Stages.Where(stage => stage.State == StageState.Completed))
        {
            var path = folder.TrajectoryPath(stage.Index, stage.Name);
            try
            {
                using var reader = TrajectoryReader.Open(path, StageLog.Genesis(manifest.RunId, stage.Name));
                reader.Verify(cancellation);
                records += reader.Count;
                if (reader.Count != stage.Steps) findings.Add($"{path}: {reader.Count} records; the manifest says {stage.Steps}");
                else if (reader.HeadHash != stage.TrajectoryHead) findings.Add($"{path}: the chain ends in {reader.HeadHash}; the manifest says {stage.TrajectoryHead}");
            }
            catch (TrajectoryException exception)
            {
                findings.Add(exception.Message);
            }
        }

        return new LogVerification(records, findings, 0, null);
    }

    /// <summary>The hash chains, and the gradients of some steps.</summary>
    /// <param name="steps">How many steps to execute again, chosen at random over the whole run.</param>
    /// <param name="seed">Of the choice.</param>
    public static LogVerification Replay(TrainedRun run, int steps, long seed, CancellationToken cancellation)
    {
        var chains = Verify(run.Folder, cancellation);
        if (chains.Findings.Count > 0) return chains;
        var all = run.Programs.SelectMany((program, stage) => program.Steps.Select(step => (Stage: stage, Step: step))).ToArray();
        StableRandom.For(seed, "verify-log").Shuffle<(int, ProgramStep)>(all);
        var findings = new List<string>();
        var worst = 0.0;
        foreach (var chosen in all.Take(steps).GroupBy(pair => pair.Stage))
        {
            using var scope = NewDisposeScope();
            using var log = run.OpenLog(chosen.Key);
            var program = run.Programs[chosen.Key];
            var state = program.Optimizer.Start(run.StateBefore(chosen.Key));
            foreach (var step in chosen.Select(pair => pair.Step).OrderBy(step => step.StageStep))
            {
                cancellation.ThrowIfCancellationRequested();
                state = log.Replay(state, state.Steps, step.StageStep - 1);
                var error = GradientError(program, step, state, log);
                worst = Math.Max(worst, error);
                if (!(error <= GradientTolerance)) findings.Add($"{log}, step {step.StageStep}: recomputing gives another gradient (relative difference {error:g3})");
            }

            state.Dispose();
        }

        return chains with { Findings = findings, Replayed = Math.Min(steps, all.Length), WorstGradientError = worst };
    }

    private static double GradientError(StageProgram program, ProgramStep step, OptimizerState state, StageLog log)
    {
        using var scope = NewDisposeScope();
        var logged = log.Gradient(step);
        var (_, norm, gradient) = program.Gradient(step, state.Theta);
        return (gradient - logged).norm().item() / (norm == 0 ? 1 : norm);
    }
}
