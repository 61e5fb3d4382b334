namespace LlmStageAudit.Records.Configuration;

/// <summary>What a stage takes from its run while being read.</summary>
/// <param name="Folder">What relative paths are relative to.</param>
/// <param name="Task">Decides which columns a data set needs.</param>
/// <param name="Optimizer">Null where the run's block is faulty.</param>
/// <param name="Schedule">The run's, or the default.</param>
internal sealed record StageDefaults(string Folder, ModelTask Task, OptimizerSection? Optimizer, ScheduleSection Schedule);
