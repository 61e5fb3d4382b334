namespace LlmStageAudit.Records.Configuration;

/// <summary>What the model's head does, and with it what the loss is.</summary>
public enum ModelTask
{
    /// <summary>One label per text: cross-entropy over the head's classes.</summary>
    SequenceClassification,

    /// <summary>The next token: cross-entropy over the vocabulary.</summary>
    CausalLm,
}
