using TorchSharp.Modules;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>The activations checkpoints name in hidden_act.</summary>
internal static class Activation
{
    /// <summary>The function of that name, element by element.</summary>
    /// <exception cref="ArgumentException">The name is none of them; configurations are checked before they get here.</exception>
    public static Func<Tensor, Tensor> Named(string name) => name switch
    {
        "gelu" => x => x.gelu(),
        "gelu_new" or "gelu_fast" or "gelu_pytorch_tanh" => x => x.gelu(GELU.Approximate.tanh),
        "relu" => x => x.relu(),
        "silu" => x => x.silu(),
        _ => throw new ArgumentException($"no activation '{name}'", nameof(name)),
    };
}
