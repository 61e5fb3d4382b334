using LlmStageAudit.Cli.Tests.Surface;

