"""classify: does a task emerge, and which shape has its curve?"""
