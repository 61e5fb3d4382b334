using System.Runtime.CompilerServices;
using LlmStageAudit.Modeling.Engine;

namespace LlmStageAudit.Testing;

/// <summary>In every test assembly that computes: the first tensor of a test may be made before anything of the project is used.</summary>
internal static class EngineStart
{
    [ModuleInitializer]
    internal static void Register() => TorchEngine.Register();
}
