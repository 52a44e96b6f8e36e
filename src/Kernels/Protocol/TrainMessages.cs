namespace EgpuFleet.Kernels.Protocol;

/// <summary>Of a step; the body is the batch (<see cref="TrainBatchCodec"/>), as of an evaluation and a backward pass.</summary>
public sealed record TrainStepParams(double LearningRate, int Rows, int RowTokens);

public sealed record TrainEvaluateParams(int Rows, int RowTokens);

/// <param name="Path">Where the gradients go.</param>
public sealed record TrainBackwardParams(int Rows, int RowTokens, string Path);

/// <param name="Path">Where the gradients are.</param>
public sealed record TrainUpdateParams(string Path, long TrainedTokens, double LearningRate);

public sealed record TrainSaveParams(string Path, bool WeightsOnly);

public sealed record TrainRestoreParams(string Path);

/// <summary>The body is the prompt: 32-bit token ids, little-endian.</summary>
public sealed record TrainContinueParams(int MaxTokens, IReadOnlyList<int> Stops);

public sealed record TrainContinuation(IReadOnlyList<int> Tokens);

/// <param name="WasOpen">Whether there was a session.</param>
public sealed record TrainClosed(bool WasOpen);
