namespace EgpuFleet.EndToEnd.Tests.Training.Independent;

/// <summary>Rows of doubles, with the gradient of the loss by each once somebody has added to it.</summary>
/// <param name="learns">Whether a gradient is wanted: not for a frozen weight.</param>
internal sealed class Matrix(int rows, int columns, double[] data, bool learns)
{
    private readonly double[]? gradient = learns ? new double[data.Length] : null;

    public Matrix(int rows, int columns)
        : this(rows, columns, new double[rows * columns], learns: true) { }

    public int Rows => rows;

    public int Columns => columns;

    public double[] Data => data;

    public double[] Gradient => gradient ?? throw new InvalidOperationException("It is frozen.");

    public bool Learns => gradient is not null;

    public Span<double> Row(int row) => data.AsSpan(row * columns, columns);

    public Span<double> GradientOf(int row) => Gradient.AsSpan(row * columns, columns);
}
