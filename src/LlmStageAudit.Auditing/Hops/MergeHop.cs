using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>What is merged, and where it goes.</summary>
/// <param name="Model">The base: a Hugging Face model folder.</param>
/// <param name="Adapter">A PEFT adapter folder.</param>
/// <param name="Target">The model folder to write; must not exist.</param>
public sealed record MergeRequest(string Model, string Adapter, string Target);

/// <summary>Base and adapter -> one model folder in float32 with the same logits.</summary>
public static class MergeHop
{
    /// <summary>Folds the adapter into its base.</summary>
    /// <returns>The folder written, absolute.</returns>
    /// <exception cref="AuditException">Base or adapter cannot be used, or something is there already.</exception>
    public static string Run(MergeRequest request, WalkHost host)
    {
        var target = Path.GetFullPath(request.Target);
        var (model, state) = ModelOpener.Open(request.Model, request.Adapter, null, host.Device());
        using (model)
        using (state) MergedModel.Write(target, model, state);
        foreach (var warning in model.Warnings) host.Observer.Warn(warning);
        return target;
    }
}
