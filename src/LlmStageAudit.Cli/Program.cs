using LlmStageAudit.Artifacts.Boundaries;
using LlmStageAudit.Cli;

// Of the whole process, so that it is the program's to decide and not a caller's surprise.
WorldWrite.Deny();
TorchEngine.Register();
return await StageAudit.RunAsync(args, Console.Out, Console.Error);
