using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Retraining.Executors;

/// <summary>Keeps a plan to one executor, so that no two train the same job; see <see cref="FileLock"/>.</summary>
internal sealed class PlanLock : IDisposable
{
    private readonly FileLock _held;

    private PlanLock(FileLock held) => _held = held;

    /// <summary>Locks <c>retrain.lock</c> in the plan's folder of runs.</summary>
    /// <exception cref="RetrainingException">Another process, or this one, runs the plan already; the message says which.</exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static PlanLock Acquire(PlanFile file)
    {
        var folder = Path.ChangeExtension(file.Path, ".runs");
        DurableFolder.Create(folder);
        var held = FileLock.TryAcquire(Path.Combine(folder, "retrain.lock"), Path.Combine(folder, "retrain.holder"), out var holder);
        return held is null ? throw RetrainingException.InUse(file.Path, holder!) : new PlanLock(held);
    }

    /// <inheritdoc/>
    public void Dispose() => _held.Dispose();
}
