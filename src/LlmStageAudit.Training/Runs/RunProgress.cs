namespace LlmStageAudit.Training.Runs;

/// <summary>How far a run has come.</summary>
/// <param name="Stage">The stage being trained.</param>
/// <param name="Step">Steps made in the whole run.</param>
/// <param name="TotalSteps">Steps the whole run has.</param>
/// <param name="LossNats">The last step's mean batch loss.</param>
/// <param name="LearningRate">The last step's rate.</param>
public readonly record struct RunProgress(string Stage, int Step, int TotalSteps, double LossNats, double LearningRate);
