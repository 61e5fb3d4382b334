using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Modeling.Models;

/// <summary>A model with its adapter folded into the base weights, as an ordinary Hugging Face folder in float32.</summary>
public static class MergedModel
{
    /// <param name="path">The folder to appear; it must not exist.</param>
    /// <param name="theta">The trainable state [N].</param>
    public static void Write(string path, LanguageModel model, Tensor theta)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        HostTensor[] tensors = [.. model.MergedWeights(theta)
            .Select(weight => new HostTensor(weight.Name, weight.Weight.shape, weight.Weight.to(float32).ToArray<float>()))];
        ModelFolderWriter.Write(path, model.Folder.Config, tensors, model.Folder.Path, StateFolder.ConfigChanges(model));
    }
}
