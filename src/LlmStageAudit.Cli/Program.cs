using LlmStageAudit.Cli;

return await StageAudit.RunAsync(args, Console.Out, Console.Error);
