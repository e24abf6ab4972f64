module mutants

go 1.27
