using LlmStageAudit.Cli;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Boundaries;

// Of the whole process, so that it is the program's to decide and not a caller's surprise.
WorldWrite.Deny();
BroughtLibraries.Load();
TorchEngine.Register();
return await StageAudit.RunAsync(args, Console.Out, Console.Error);
