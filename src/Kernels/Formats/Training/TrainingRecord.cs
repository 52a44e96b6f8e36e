namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>One line of a training file, checked but not tokenised.</summary>
/// <param name="Line">Its number in the file, from 1.</param>
public abstract record TrainingRecord(int Line);

/// <summary><c>{"messages":[…]}</c>: what the assistant says is trained.</summary>
public sealed record ChatRecord(int Line, IReadOnlyList<TrainingMessage> Messages) : TrainingRecord(Line);

/// <summary><c>{"prompt":…,"completion":…}</c>: the completion is trained.</summary>
public sealed record CompletionRecord(int Line, string Prompt, string Completion) : TrainingRecord(Line);

/// <summary><c>{"text":…}</c>: all of it is trained.</summary>
public sealed record TextRecord(int Line, string Text) : TrainingRecord(Line);

/// <summary>One message of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Its text.</param>
/// <param name="IsTrained">Whether the loss counts it: messages of the assistant but those of weight 0.</param>
public sealed record TrainingMessage(string Role, string Content, bool IsTrained);
