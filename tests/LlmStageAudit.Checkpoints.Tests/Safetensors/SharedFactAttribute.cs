namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

/// <summary>A test on reference files that lie in a folder named shared beside the repository; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedFactAttribute : FactAttribute
{
    public SharedFactAttribute()
    {
        if (!Directory.Exists(SharedFiles.Goldens)) Skip = $"no reference files at {SharedFiles.Goldens}";
    }
}
